import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startEmbeddedPostgres } from '@bascule/postgres/embedded-postgres.ts'
import { lookAtProcess } from '@bascule/postgres/processes.ts'
import type { TestProject } from 'vitest/node'

/** In memory and without fsync: what these tests write has not to survive anything. */
const testSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '256MB',
  shared_buffers: '128MB',
  max_connections: '200',
}

const folderPattern = /^bascule-test-(\d+)-/

/**
 * One PostgreSQL for the whole run; the tests get its address and make databases in it. `BASCULE_TEST_POSTGRES` names the
 * folder of another version's programs, for a run on the oldest that is supported.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  removeAbandoned(root)
  const dataFolder = mkdtempSync(join(root, `bascule-test-${process.pid}-`))
  const binFolder = process.env['BASCULE_TEST_POSTGRES']
  const postgres = await startEmbeddedPostgres({ dataFolder, settings: testSettings, binFolder })
  project.provide('postgres', postgres.address)
  return async () => {
    await postgres[Symbol.asyncDispose]()
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

/** A run that was killed could not tidy up; its PostgreSQL ended by itself. */
function removeAbandoned(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = folderPattern.exec(name)?.[1]
    if (pid !== undefined && !lookAtProcess(Number(pid))) rmSync(join(root, name), { recursive: true, force: true })
  }
}
