import { stateLook } from './states.ts'

interface PhaseRingProps {
  order: number
  of: number
  state: string
}

const outerRadius = 11
const dotRadiusMax = 5

/** Which phase of how many, at a glance: one circle per phase, its own drawn strong, earlier ones grey, a planned one dashed. */
export function PhaseRing({ order, of, state }: PhaseRingProps) {
  const { hue } = stateLook('phase', state)
  const color = `var(--${hue === 'freeze' ? 'planned' : hue})`
  // Beyond six circles the glyph would be a blot; the last circles then share the width.
  const step = outerRadius / of
  return (
    <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden focusable="false" style={{ flex: 'none' }}>
      {Array.from({ length: of }, (_, index) => {
        const isOwn = index + 1 === order
        const isEarlier = index + 1 < order
        const radius = Math.max(step * (index + 1) - 0.6, 1.6)
        const isDot = index === 0 && (isOwn || isEarlier)
        return (
          <circle
            key={index}
            cx="13"
            cy="13"
            r={isDot ? Math.min(radius, dotRadiusMax) : radius}
            fill={isDot ? (isOwn ? color : 'var(--line-strong)') : 'none'}
            stroke={isOwn ? color : isEarlier ? 'var(--line-strong)' : 'var(--line)'}
            strokeWidth={isOwn ? 2.4 : 1.1}
            // A dashed dot would be a star.
            strokeDasharray={isOwn && !isDot && hue === 'planned' ? '2.2 2.2' : undefined}
          />
        )
      })}
    </svg>
  )
}
