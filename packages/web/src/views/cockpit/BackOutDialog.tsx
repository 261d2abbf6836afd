import { SegmentedControl } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { currentPhase, type Release, type Rollout } from './cockpit-view.ts'
import type { RolloutActsState } from './use-rollout-acts.ts'
import { orpc } from '#/api/client.ts'
import { BlastDialog } from '#/ui/ConfirmDialog.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { formatCount } from '#/ui/format.ts'

interface BackOutDialogProps {
  release: Release
  rollout: Rollout
  acts: RolloutActsState
  onClose: () => void
}

/** Shows what a back-out would hit before it can be asked for. */
export function BackOutDialog({ release, rollout, acts, onClose }: BackOutDialogProps) {
  const current = currentPhase(rollout)
  const [scope, setScope] = useState('all')
  const phase = scope === 'phase' && current !== undefined ? current.order : undefined
  const input = { releaseId: release.id, ...(phase === undefined ? {} : { phase }) }
  const preview = useQuery({
    ...orpc.deliver.rollout.previewBackOut.queryOptions({ input }),
    placeholderData: keepPreviousData,
    staleTime: 0,
  })
  const returning = preview.data === undefined ? undefined : preview.data.verified - preview.data.leftWithout
  const count = (number: number | undefined) => (number === undefined ? '…' : formatCount(number))
  return (
    <BlastDialog
      isOpen
      onClose={onClose}
      title={`Back out ${release.title} ${release.version}`}
      verb="Back out"
      name={release.title}
      numbers={[
        { value: count(returning), label: 'back to the version from before' },
        { value: count(preview.data?.leftWithout), label: 'left without the software' },
        { value: count(preview.data?.inFlight), label: 'installing now, then back' },
        { value: count(preview.data?.notReached), label: 'not begun, will not get it' },
      ]}
      consequences={(preview.data?.consequences ?? []).map((text) => ({ key: text, text }))}
      error={acts.backOut.error}
      isBusy={acts.backOut.isPending}
      onConfirm={(reason) => acts.backOut.mutate({ ...input, reason, confirm: release.title }, { onSuccess: onClose })}
    >
      {preview.error === null ? null : (
        <ProblemAlert
          title="What it would hit could not be counted"
          error={preview.error}
          onRetry={() => void preview.refetch()}
        />
      )}
      {current === undefined || rollout.phases.length < 2 ? null : (
        <SegmentedControl
          fullWidth
          size="xs"
          mb="sm"
          aria-label="How much is backed out"
          value={scope}
          onChange={setScope}
          data={[
            { value: 'phase', label: `Phase ${current.order} only` },
            { value: 'all', label: 'Everything' },
          ]}
        />
      )}
    </BlastDialog>
  )
}
