import styles from './BoardPage.module.css'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { keyLevelWords } from '#/ui/levels.ts'

/** What each way to keep a key is worth, in the same words everywhere. */
export function LevelsCard() {
  return (
    <SectionCard title="What a key is worth">
      <dl className={styles.levels}>
        {[1, 2, 3].map((level) => (
          <div key={level}>
            <dt>
              <KeyLevelMark level={level} /> {keyLevelWords(level).name}
            </dt>
            <dd>{keyLevelWords(level).honestly}</dd>
          </div>
        ))}
      </dl>
    </SectionCard>
  )
}
