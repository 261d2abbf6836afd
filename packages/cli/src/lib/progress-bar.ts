export interface ProgressBar extends Disposable {
  show(doneBytes: number, totalBytes: number): void
}

const width = 30
const redrawMs = 100

/** A bar on a terminal; silence everywhere else, because a log file is no place for a thousand lines. */
export function createProgressBar(stream: NodeJS.WriteStream, label: string): ProgressBar {
  let drawnAtMs = 0
  const isTerminal = stream.isTTY && process.env['TERM'] !== 'dumb'
  return {
    show(doneBytes, totalBytes) {
      const now = Date.now()
      if (!isTerminal || (now - drawnAtMs < redrawMs && doneBytes < totalBytes)) return
      drawnAtMs = now
      const share = totalBytes === 0 ? 1 : doneBytes / totalBytes
      const filled = Math.round(share * width)
      const bar = '#'.repeat(filled) + '.'.repeat(width - filled)
      stream.write(`\r${label} [${bar}] ${Math.floor(share * 100)} % of ${formatBytes(totalBytes)}`)
    },
    [Symbol.dispose]() {
      if (isTerminal && drawnAtMs > 0) stream.write('\r\u001B[K')
    },
  }
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`
}
