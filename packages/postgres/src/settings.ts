import { statfsSync } from 'node:fs'
import { totalmem } from 'node:os'

import { socketPort } from './socket-folder.ts'

export type PostgresSettings = Readonly<Record<string, string>>

const mebibyte = 1024 * 1024

/** What a server in use needs. `synchronous_commit` and `fsync` stay on: what is acknowledged is on the disk. */
export function productionSettings(): PostgresSettings {
  const sharedBuffersMb = Math.max(128, Math.min(1024, Math.floor(totalmem() / 4 / mebibyte)))
  return {
    shared_buffers: `${sharedBuffersMb}MB`,
    max_wal_size: '4GB',
    // These binaries know no other compression; lz4 and zstd would fail the start.
    wal_compression: 'pglz',
    timezone: 'UTC',
    log_checkpoints: 'off',
    ...(hasRoomForSharedMemory() ? {} : { dynamic_shared_memory_type: 'mmap' }),
  }
}

/** Settings that are never the caller's to change: no TCP port, and the socket where only we look. */
export function fixedSettings(socketFolder: string): PostgresSettings {
  return {
    listen_addresses: '',
    unix_socket_directories: `"${socketFolder.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    port: String(socketPort),
    logging_collector: 'off',
    log_destination: 'stderr',
  }
}

export function settingArguments(settings: PostgresSettings): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** Containers give /dev/shm 64 MB by default, and then a parallel query fails in the middle of a working day. */
function hasRoomForSharedMemory(): boolean {
  try {
    const { bsize, blocks } = statfsSync('/dev/shm')
    return bsize * blocks >= 256 * mebibyte
  } catch {
    return process.platform !== 'linux'
  }
}
