/** Cuts a stream of bytes into lines. Throws when a line grows past the limit: the sender is not one of ours. */
export function lineSplitter(maxBytes: number, onLine: (line: string) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let sizeBytes = 0
  return (chunk) => {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end))
      from = end + 1
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      sizeBytes = 0
      onLine(line)
    }
    parts.push(chunk.subarray(from))
    sizeBytes += chunk.length - from
    if (sizeBytes > maxBytes) throw new Error(`A line of more than ${maxBytes} bytes was sent`)
  }
}
