import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '#scripts/lib/server-process.ts'
import { cpuSecondsOf, print, printMachine, round, spreadOf } from './lib/report.ts'

/**
 * How fast blobs come from the real server, beside nginx with the same file in the same run, in turns. The reader runs
 * on the same two cores. CPU per gigabyte is the steadier number.
 */
const sizeBytes = 200_000_000
const readers = 4
const runs = 5
const nginx = '/usr/sbin/nginx'

interface Source {
  readonly name: string
  readonly url: string
  readonly pid: number
}

function makeBlob(dataFolder: string): { hex: string; folder: string } {
  const bytes = randomBytes(sizeBytes)
  const hex = createHash('sha256').update(bytes).digest('hex')
  const folder = join(dataFolder, 'blobs', 'sha256', hex.slice(0, 2))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, hex), bytes)
  return { hex, folder }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function startNginx(
  scratch: string,
  blobFolder: string,
): Promise<{ port: number; pid: number; stop(): Promise<void> }> {
  const port = await freePort()
  const file = join(scratch, 'nginx.conf')
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${scratch}/${name};`,
  )
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${scratch}/nginx.pid; error_log ${scratch}/error.log;
     events { worker_connections 256; }
     http { access_log off; sendfile on; tcp_nopush on; ${temp.join(' ')}
       server { listen 127.0.0.1:${port}; root ${blobFolder}; } }`,
  )
  const child = spawn(nginx, ['-c', file, '-p', scratch], { stdio: 'inherit' })
  await untilAnswers(`http://127.0.0.1:${port}/`)
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

async function untilAnswers(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url)
      return
    } catch {
      // Not listening yet.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** Reads into one buffer over and over: whatever the reader costs is taken from the two cores that the server needs. */
async function readAll(url: string): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let wanted = Infinity
  let seen = 0
  const callback = (count: number, buffer: Uint8Array): boolean => {
    if (wanted === Infinity) {
      const text = Buffer.from(buffer.buffer, 0, count).toString('latin1')
      if (!text.startsWith('HTTP/1.1 200 ')) reject(new Error(`${url}: ${text.slice(0, 60)}`))
      wanted = sizeBytes + text.indexOf('\r\n\r\n') + 4
    }
    seen += count
    if (seen === wanted) resolve()
    return true
  }
  const socket = connect({
    host: hostname,
    port: Number(port),
    onread: { buffer: new Uint8Array(1_048_576), callback },
  })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error(`${url}: closed after ${seen} bytes`)))
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
  await promise
  socket.destroy()
}

async function measure({ url, pid }: Source): Promise<{ mbPerS: number; cpuMsPerGb: number }> {
  const cpuBefore = cpuSecondsOf(pid)
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: readers }, () => readAll(url)))
  const seconds = (performance.now() - startedAt) / 1000
  const bytes = readers * sizeBytes
  return { mbPerS: bytes / 1e6 / seconds, cpuMsPerGb: ((cpuSecondsOf(pid) - cpuBefore) * 1000) / (bytes / 1e9) }
}

async function compare(sources: readonly Source[]): Promise<void> {
  const results = new Map(sources.map((source) => [source.name, [] as Awaited<ReturnType<typeof measure>>[]]))
  for (const source of sources) await measure(source) // The file is in the page cache and the code is warm.
  for (let at = 0; at < runs; at += 1) {
    for (const source of sources) results.get(source.name)?.push(await measure(source))
  }
  const medians: number[] = []
  for (const [name, of] of results) {
    const mbPerS = spreadOf(of.map((one) => one.mbPerS))
    medians.push(mbPerS.median)
    print({ bench: 'blobs', what: name, mbPerS, cpuMsPerGb: spreadOf(of.map((one) => one.cpuMsPerGb)) })
  }
  const [ours = NaN, theirs = NaN] = medians
  if (medians.length > 1)
    print({ bench: 'blobs', what: 'ratio of medians, server to nginx', mbPerS: round(ours / theirs) })
}

const scratch = mkdtempSync(join(tmpdir(), 'bench-blobs-'))
try {
  const dataFolder = join(scratch, 'data')
  const { hex, folder } = makeBlob(dataFolder)
  printMachine('blobs')
  print({ bench: 'blobs', sizeBytes, readers, runs })
  const server = await startServer({ dataFolder, port: 0, env: { BASCULE_LOG_LEVEL: 'warn' } })
  const other = existsSync(nginx) ? await startNginx(scratch, folder) : undefined
  if (!other) print({ bench: 'blobs', skipped: `nginx is not at ${nginx}` })
  try {
    const ours = { name: 'server', url: `${server.url}/blobs/sha256/${hex}`, pid: server.process.pid }
    const theirs = other && { name: 'nginx', url: `http://127.0.0.1:${other.port}/${hex}`, pid: other.pid }
    await compare(theirs ? [ours, theirs] : [ours])
  } finally {
    await other?.stop()
    await server.process.stop()
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
