import { Skeleton, VisuallyHidden } from '@mantine/core'

/** Only on the first load, in the height of what is coming; later loads keep the old numbers on the screen. */
export function Loading({ lines = 4, what }: { lines?: number; what: string }) {
  return (
    <div aria-busy="true">
      <VisuallyHidden component="output">Loading {what}</VisuallyHidden>
      {Array.from({ length: lines }, (_, index) => (
        <Skeleton key={index} height={20} mb={12} width={`${92 - ((index * 17) % 40)}%`} />
      ))}
    </div>
  )
}
