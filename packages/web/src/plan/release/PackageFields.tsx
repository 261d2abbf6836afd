import { Autocomplete } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { PlanForm } from './PlanFormPage.tsx'
import styles from './PlanFormPage.module.css'
import { orpc } from '#/api/client.ts'

const searchDelayMs = 150

/** A package of the library and one of its versions; retired versions are not offered. */
export function PackageFields({ form, index }: { form: PlanForm; index: number }) {
  const name = form.values.packages[index]?.name ?? ''
  const [search] = useDebouncedValue(name.trim(), searchDelayMs)
  const packages = useQuery({
    ...orpc.estate.library.listPackages.queryOptions({ input: { limit: 20, ...(search === '' ? {} : { search }) } }),
    placeholderData: keepPreviousData,
  })
  const names = packages.data?.items.map((each) => each.name) ?? []
  const chosen = useQuery({
    ...orpc.estate.library.getPackage.queryOptions({ input: { name: search } }),
    enabled: names.includes(search),
  })
  const versions = chosen.data?.versions.filter((each) => each.state === 'active').map((each) => each.version) ?? []
  return (
    <div className={styles.packageFields}>
      <Autocomplete
        size="sm"
        label={`Package ${index + 1}`}
        required
        withAsterisk={false}
        data={names}
        {...form.getInputProps(`packages.${index}.name`)}
      />
      <Autocomplete
        size="sm"
        label="Version"
        aria-label={`Version of package ${index + 1}`}
        required
        withAsterisk={false}
        data={versions}
        {...form.getInputProps(`packages.${index}.version`)}
      />
    </div>
  )
}
