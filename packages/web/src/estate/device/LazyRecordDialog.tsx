import { lazy, Suspense, type ComponentProps } from 'react'

// Forms are heavier than the list that they stand beside; they come when somebody asks for one.
const RecordDialog = lazy(async () => ({ default: (await import('#/ui/form/RecordDialog.tsx')).RecordDialog }))

export function LazyRecordDialog(props: ComponentProps<typeof RecordDialog>) {
  if (!props.isOpen) return null
  return (
    <Suspense>
      <RecordDialog {...props} />
    </Suspense>
  )
}
