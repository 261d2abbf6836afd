import { Button, Checkbox, Popover, Stack } from '@mantine/core'
import { IconColumns3 } from '@tabler/icons-react'
import { colsOf, columnsShown, fleetColumns } from './fleet-columns.tsx'

interface ColumnsMenuProps {
  cols: string
  onCols: (cols: string) => void
}

/** Which columns stand in the table; their order is the page’s. A phone has room for the two that matter most. */
export function ColumnsMenu({ cols, onCols }: ColumnsMenuProps) {
  const shown = columnsShown(cols).map((column) => column.id)
  return (
    <Popover position="bottom-end" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" visibleFrom="sm" leftSection={<IconColumns3 size={15} />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <Checkbox.Group value={shown} onChange={(ids) => onCols(colsOf(ids))}>
          <Stack gap={2}>
            {fleetColumns.map((column) => (
              <Checkbox
                key={column.id}
                value={column.id}
                size="xs"
                label={column.header}
                disabled={column.isFixed ?? false}
                styles={{ body: { minHeight: 24, alignItems: 'center' } }}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <Button variant="subtle" color="gray" fullWidth mt={6} disabled={cols === ''} onClick={() => onCols('')}>
          Usual columns
        </Button>
      </Popover.Dropdown>
    </Popover>
  )
}
