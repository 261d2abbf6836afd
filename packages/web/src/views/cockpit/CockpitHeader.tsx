import { useEffect, useState, type ReactNode } from 'react'
import styles from './CockpitHeader.module.css'
import { nextMoment, stateLabel, type NextMoment, type Release, type Rollout } from './cockpit-view.ts'
import { useLive } from '#/api/live.ts'
import { LiveMark } from '#/ui/LiveMark.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatMoment } from '#/ui/format.ts'
import { useMinute } from '#/ui/use-minute.ts'
import { AppLink } from '#/ui/AppLink.tsx'

interface CockpitHeaderProps {
  release: Release
  rollout: Rollout | undefined
  acts: ReactNode
}

export function CockpitHeader({ release, rollout, acts }: CockpitHeaderProps) {
  const live = useLive()
  const nowMs = useMinute()
  const moment = rollout === undefined ? null : nextMoment(rollout, nowMs)
  return (
    <header className={styles.head}>
      <div>
        <nav aria-label="Breadcrumb" className={styles.crumbs}>
          <AppLink to="/releases" c="dimmed" fz={12}>
            Releases
          </AppLink>
          <span aria-hidden>/</span>
          <span className="mono">{release.id}</span>
        </nav>
        <div className={styles.title}>
          <h1>
            {release.title} <span>{release.version}</span>
          </h1>
          {rollout === undefined ? (
            <StateTag machine="release" state={release.state} large />
          ) : (
            <StateTag machine="rollout" state={rollout.state} label={stateLabel(rollout)} large />
          )}
        </div>
        <div className={styles.facts}>
          <span>{release.owner}</span>
          <span>{release.productLine}</span>
          {rollout === undefined ? (
            <span>planned {formatMoment(release.createdAt)}</span>
          ) : (
            <span>started {formatMoment(rollout.startedAt)}</span>
          )}
          {rollout?.pause ? (
            <span>
              paused by {rollout.pause.by}, {formatMoment(rollout.pause.at)}
            </span>
          ) : null}
          <span>
            {release.audience.mode === 'frozen' ? 'Audience frozen when the board is asked' : 'Server decides who'}
          </span>
          <span>
            <LiveMark state={live} />
          </span>
        </div>
      </div>
      {moment === null ? null : <Countdown moment={moment} />}
      {acts}
    </header>
  )
}

/** To the next moment known beforehand; it ticks each second because the person is waiting for it. */
function Countdown({ moment }: { moment: NextMoment }) {
  const leftSeconds = useSecondsUntil(moment.at)
  const days = Math.floor(leftSeconds / 86_400)
  const hours = Math.floor((leftSeconds % 86_400) / 3600)
  const minutes = Math.floor((leftSeconds % 3600) / 60)
  return (
    <div
      className={styles.countdown}
      role="timer"
      aria-label={`${moment.label} in ${days} days, ${hours} hours, ${minutes} minutes`}
    >
      <div className={styles.countdownLabel}>
        {moment.label}, {formatMoment(moment.at)}
      </div>
      <div className={`${styles.countdownDigits} num`} aria-hidden>
        {days === 0 ? null : (
          <>
            <b>{days}</b>
            <i>d</i>
          </>
        )}
        <b>{twoDigits(hours)}</b>
        <i>h</i>
        <b>{twoDigits(minutes)}</b>
        <i>m</i>
        <span>{twoDigits(Math.floor(leftSeconds % 60))}</span>
      </div>
    </div>
  )
}

function useSecondsUntil(at: string): number {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return Math.max(0, (Date.parse(at) - nowMs) / 1000)
}

function twoDigits(count: number): string {
  return String(count).padStart(2, '0')
}
