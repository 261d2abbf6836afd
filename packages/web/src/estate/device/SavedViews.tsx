import { ActionIcon, Button, Group, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconDeviceFloppy, IconDots, IconPencil, IconTrash } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { shownFrom, type FleetShown } from './fleet-address.ts'
import { isShown, searchOf, shownOf, type SavedView } from './saved-view.ts'
import { LazyRecordDialog } from './LazyRecordDialog.tsx'
import styles from './SavedViews.module.css'
import { tell, useSavedViewActs, useSavedViews } from './use-saved-views.ts'

const undoMs = 8000
/** Every address of the fleet begins like that of all devices; only the very same one is it. */
const onlyItself = { exact: true, includeSearch: true }

interface SavedViewsProps {
  shown: FleetShown
  onShow: (shown: FleetShown) => void
}

/** The views that a person keeps, beside everything; nothing stands here before the first is saved. */
export function SavedViews({ shown, onShow }: SavedViewsProps) {
  const views = useSavedViews()
  if (views.length === 0) return null
  return (
    <nav aria-label="Saved views" className={styles.views}>
      <ul>
        <li>
          <Link
            to="/fleet"
            search={{}}
            activeOptions={onlyItself}
            aria-current={shown.view === '' ? 'page' : undefined}
          >
            All devices
          </Link>
        </li>
        {views.map((view) => (
          <li key={view.id} data-current={view.id === shown.view || undefined}>
            <Link
              to="/fleet"
              search={searchOf(view)}
              activeOptions={onlyItself}
              aria-current={view.id === shown.view ? 'page' : undefined}
            >
              {view.name}
              {view.id === shown.view && !isShown(view, shown) ? <span className="dim"> changed</span> : null}
            </Link>
            {view.id === shown.view ? <ViewMenu view={view} shown={shown} onShow={onShow} /> : null}
          </li>
        ))}
      </ul>
    </nav>
  )
}

interface ViewMenuProps extends SavedViewsProps {
  view: SavedView
}

function ViewMenu({ view, shown, onShow }: ViewMenuProps) {
  const [isRenaming, renaming] = useDisclosure()
  const { overwrite, rename } = useSavedViewActs()
  const remove = useRemoval(view, onShow)
  return (
    <>
      <Menu position="bottom-start" width={200}>
        <Menu.Target>
          <ActionIcon size={24} variant="subtle" color="gray" aria-label={`More for ${view.name}`}>
            <IconDots size={15} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconDeviceFloppy size={15} />}
            disabled={isShown(view, shown)}
            onClick={() => overwrite.mutate({ view, shown })}
          >
            Save changes
          </Menu.Item>
          <Menu.Item leftSection={<IconPencil size={15} />} onClick={renaming.open}>
            Rename…
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={15} />} onClick={remove}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <LazyRecordDialog
        isOpen={isRenaming}
        onClose={renaming.close}
        title={`Rename ${view.name}`}
        verb="Rename"
        fields={[{ name: 'name', label: 'Name', isRequired: true, initial: view.name }]}
        error={rename.error}
        isBusy={rename.isPending}
        onSubmit={({ name = '' }) => rename.mutate({ view, name }, { onSuccess: renaming.close })}
      />
    </>
  )
}

/** Deletes at once and offers the way back for as long as the notice stands. */
function useRemoval(view: SavedView, onShow: (shown: FleetShown) => void) {
  const { create, remove } = useSavedViewActs()
  async function putBack(notice: string) {
    notifications.hide(notice)
    const again = await create.mutateAsync({ name: view.name, shown: shownOf(view) })
    onShow(shownOf(again))
  }
  return () =>
    remove.mutate(view, {
      onSuccess: () => {
        onShow(shownFrom({}))
        const notice = `removed-${view.id}`
        notifications.show({
          id: notice,
          autoClose: undoMs,
          message: (
            <Group justify="space-between">
              Deleted the view {view.name}.
              <Button variant="default" onClick={() => void putBack(notice).catch(tell('The view is not back'))}>
                Undo
              </Button>
            </Group>
          ),
        })
      },
    })
}
