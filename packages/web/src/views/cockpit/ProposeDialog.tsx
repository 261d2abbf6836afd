import { useNavigate } from '@tanstack/react-router'
import type { Release } from './cockpit-view.ts'
import { useCaseActs } from '#/decide/case/use-case-acts.ts'
import { ReasonDialog } from '#/ui/ConfirmDialog.tsx'

interface ProposeDialogProps {
  release: Release
  kind: 'stop' | 'withdraw'
  onClose: () => void
}

const words = {
  stop: {
    title: 'Stop on all devices',
    verb: 'Prepare the stop',
    effect:
      'Your signature alone stops it: no device installs it any more, whatever this server says. What is installed stays. You sign on the next page.',
  },
  withdraw: {
    title: 'Withdraw the Go',
    verb: 'Ask the board',
    effect:
      'With the quorum’s signatures the release leaves the signed list for good, and no device installs it again. What is installed stays.',
  },
} as const

/** Prepares a decision against a release that was let out; it counts once it is signed. */
export function ProposeDialog({ release, kind, onClose }: ProposeDialogProps) {
  const { propose } = useCaseActs()
  const navigate = useNavigate()
  return (
    <ReasonDialog
      isOpen
      onClose={onClose}
      title={`${words[kind].title}: ${release.title} ${release.version}`}
      verb={words[kind].verb}
      effect={words[kind].effect}
      error={propose.error}
      isBusy={propose.isPending}
      onConfirm={(reason) =>
        propose.mutate(
          { releaseId: release.id, kind, reason },
          { onSuccess: ({ caseId }) => void navigate({ to: '/cases/$caseId', params: { caseId } }) },
        )
      }
    />
  )
}
