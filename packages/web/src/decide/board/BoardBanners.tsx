import { IconShield, IconUser } from '@tabler/icons-react'
import type { Board } from './board-view.ts'
import { Banner } from '#/ui/Banner.tsx'
import { keyLevelWords } from '#/ui/levels.ts'

/** What the promise of this board is worth: its weakest key, and whether one person alone decides. */
export function BoardBanners({ board: { level, isOnePerson } }: { board: Board }) {
  const { short, name, honestly } = keyLevelWords(level)
  return (
    <>
      {isOnePerson ? (
        <Banner hue="gate" icon={IconUser}>
          <b>Board of one.</b> One person alone decides here.
        </Banner>
      ) : null}
      <Banner hue={level === null || level === 1 ? 'gate' : 'go'} icon={IconShield}>
        <b>{level === null ? 'Level not signed.' : `Weakest key: ${short}, ${name}.`}</b> {honestly}
      </Banner>
    </>
  )
}
