import { existsSync, readFileSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeControlFolder, removeControlFolder, writeControl } from '#/durable.ts'
import { linuxFacts } from '#/inventory/linux.ts'
import type { Isolation, Platform } from './platform.ts'

export const linux: Platform = {
  os: 'linux',
  freeBytes(folder) {
    const stat = statfsSync(existingParent(folder))
    return stat.bavail * stat.bsize
  },
  facts: linuxFacts,
  isolate,
  bootId: () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  processStart,
}

function existingParent(folder: string): string {
  let found = path.resolve(folder)
  while (!existsSync(found)) found = path.dirname(found)
  return found
}

/** Field 22 of /proc/<pid>/stat; the name in field 2 may hold spaces and brackets, so it is cut off first. A zombie is gone. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? null : (fields[18] ?? null)
  } catch {
    // No such process: that is the answer.
    return null
  }
}

/** A cgroup of version 2 below the one of the agent. Its kill reaches every process, whatever it did to escape. */
function isolate(name: string): Isolation | null {
  const mount = cgroupMount()
  if (mount === null || process.getuid?.() !== 0) return null
  const folder = path.join(mount, `bascule-${name}`)
  try {
    makeControlFolder(folder)
  } catch (error) {
    process.stderr.write(`No control group for commands: ${String(error)}\n`)
    return null
  }
  return {
    adopt(pid) {
      writeControl(path.join(folder, 'cgroup.procs'), String(pid))
    },
    killAll() {
      if (existsSync(path.join(folder, 'cgroup.kill'))) writeControl(path.join(folder, 'cgroup.kill'), '1')
    },
    end: async () => {
      await removeGroup(folder)
    },
  }
}

/** The kernel needs a moment to bury the last process of a group that was killed. */
async function removeGroup(folder: string): Promise<void> {
  for (let look = 0; existsSync(folder); look += 1) {
    try {
      removeControlFolder(folder)
    } catch (error) {
      if (look >= 40) {
        process.stderr.write(`The control group stays: ${String(error)}\n`)
        return
      }
      await sleep(25)
    }
  }
}

function cgroupMount(): string | null {
  if (!existsSync('/proc/mounts')) return null
  const line = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((candidate) => candidate.split(' ')[2] === 'cgroup2')
  return line?.split(' ')[1] ?? null
}
