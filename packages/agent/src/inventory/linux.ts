import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, statfsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Facts } from '@bascule/contract/device/protocol.ts'
import { normaliseArch } from '@bascule/domain/estate/package/choose-variant.ts'

const freeStepBytes = 250_000_000

interface Folders {
  readonly data: string
  readonly root: string
}

/** What a Linux machine can tell about itself without asking another program. What cannot be found out is left out. */
export function linuxFacts(folders: Folders): Facts {
  return {
    ...systemFacts(),
    ...hardwareFacts(),
    ...diskFacts(folders.root),
    ...powerFacts(),
    ...softwareFacts(),
    'right.root': process.getuid?.() === 0,
    'right.admin': process.getuid?.() === 0,
    'agent.uid': process.getuid?.() ?? -1,
  }
}

function systemFacts(): Facts {
  const release = osRelease()
  const facts: Facts = {
    os: 'linux',
    arch: normaliseArch(process.arch),
    kernel: os.release(),
    libc: libcOf(),
    hostname: os.hostname(),
    locale: process.env['LC_ALL'] ?? process.env['LANG'] ?? 'C',
    'time.zone': Intl.DateTimeFormat().resolvedOptions().timeZone,
    // Whole days: a fact that changes all the time would be sent all the time.
    'uptime.seconds': Math.floor(os.uptime() / 86_400) * 86_400,
    'boot.id': textOf('/proc/sys/kernel/random/boot_id'),
  }
  if (release['ID'] !== undefined) facts['os.id'] = release['ID']
  if (release['VERSION_ID'] !== undefined) facts['os.version'] = release['VERSION_ID']
  if (release['PRETTY_NAME'] !== undefined) facts['os.name'] = release['PRETTY_NAME']
  return facts
}

function osRelease(): Record<string, string> {
  const file = ['/etc/os-release', '/usr/lib/os-release'].find((candidate) => existsSync(candidate))
  if (file === undefined) return {}
  const pairs = readFileSync(file, 'utf8').matchAll(/^([A-Z_]+)=(?:"([^"]*)"|(.*))$/gm)
  return Object.fromEntries([...pairs].map(([, name, quoted, plain]) => [name, quoted ?? plain ?? '']))
}

/** It cannot change while this process runs, and asking takes long. */
let libcFound = ''

function libcOf(): string {
  if (libcFound !== '') return libcFound
  // Otherwise the report resolves the names of all connections of this process. The types do not know it yet.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
  report.excludeNetwork = true
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
  const version = header?.glibcVersionRuntime
  libcFound = version === undefined ? 'musl' : `glibc ${version}`
  return libcFound
}

function hardwareFacts(): Facts {
  const machine = ['/etc/machine-id', '/var/lib/dbus/machine-id'].find((file) => existsSync(file))
  const facts: Facts = { 'cpu.count': os.availableParallelism(), 'memory.bytes': os.totalmem() }
  // Hashed with a name of ours: the machine's own id is meant to stay on the machine.
  if (machine !== undefined) facts['machine.id'] = sha256(`bascule:${textOf(machine)}`)
  return facts
}

/** Free space as it is told to the server. */
export function roundFree(bytes: number): number {
  return Math.floor(bytes / freeStepBytes) * freeStepBytes
}

/** Free space in steps of a quarter gigabyte: enough for a decision, calm enough not to be news every minute. */
function diskFacts(root: string): Facts {
  let folder = path.resolve(root)
  while (!existsSync(folder)) folder = path.dirname(folder)
  const stat = statfsSync(folder)
  const mount = mountOf(folder)
  return {
    'disk.free.bytes': roundFree(stat.bavail * stat.bsize),
    'disk.total.bytes': stat.blocks * stat.bsize,
    'disk.fs': mount?.[2] ?? 'unknown',
    'disk.readonly': mount?.[3]?.split(',').includes('ro') ?? false,
  }
}

/** The fields of the mount point that a folder lies on: the longest one that is a prefix of it. */
function mountOf(folder: string): string[] | undefined {
  const mounts = textOf('/proc/mounts')
    .split('\n')
    .map((line) => line.split(' '))
  const fitting = mounts.filter(([, point = '']) => point === '/' || folder === point || folder.startsWith(`${point}/`))
  return fitting.toSorted((a, b) => (b[1] ?? '').length - (a[1] ?? '').length)[0]
}

function powerFacts(): Facts {
  const supplies = '/sys/class/power_supply'
  const battery = existsSync(supplies) ? readdirSync(supplies).find((name) => name.startsWith('BAT')) : undefined
  if (battery === undefined) return { 'battery.present': false }
  const percent = Number(textOf(path.join(supplies, battery, 'capacity')))
  return {
    'battery.present': true,
    'battery.percent': Math.round(percent / 10) * 10,
    'battery.charging': textOf(path.join(supplies, battery, 'status')) !== 'Discharging',
  }
}

/** The list is megabytes long and rarely changes: read again only when its file did. */
let softwareSeen: { readonly mtimeMs: number; readonly facts: Facts } = { mtimeMs: -1, facts: {} }

/** Packages of the operating system as one number and one hash: a change is seen, the list stays on the device. */
function softwareFacts(): Facts {
  const status = '/var/lib/dpkg/status'
  const stat = statSync(status, { throwIfNoEntry: false })
  if (!stat) return {}
  if (stat.mtimeMs === softwareSeen.mtimeMs) return softwareSeen.facts
  const text = readFileSync(status, 'utf8')
  const entries = [...text.matchAll(/^(?:Package|Version|Status): .*$/gm)].map(([line]) => line)
  const facts = {
    'os.packages.count': entries.filter((line) => line.startsWith('Package: ')).length,
    'os.packages.hash': sha256(entries.join('\n')),
  }
  softwareSeen = { mtimeMs: stat.mtimeMs, facts }
  return facts
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
