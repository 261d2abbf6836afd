import { notifications } from '@mantine/notifications'
import { client } from '#/api/client.ts'
import { problemFrom } from '#/ui/problem.ts'

/** Pauses; a refusal is told, because whoever asked does not stand before the button. */
export async function pauseRollout(releaseId: string): Promise<void> {
  try {
    await client.deliver.rollout.pause({ releaseId })
  } catch (error) {
    notifications.show({ title: 'The rollout was not paused', message: problemFrom(error).what })
  }
}
