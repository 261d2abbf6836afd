/** Two bridge leaves, one raised: the house's mark. */
export function BridgeMark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden focusable="false">
      <path d="M1 14h10.4v2.5L4.8 18v4H1z" fill="currentColor" />
      <path d="M19.4 15.6H23V22h-3.6z" fill="currentColor" />
      <path d="M20.6 15.3 12.3 4.7l2.2-1.7 8.3 10.6z" fill="var(--roll)" />
    </svg>
  )
}
