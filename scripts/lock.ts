import { join } from 'node:path'
import { completeLock } from './lib/complete-lock.ts'
import { root } from './lib/root.ts'

/** `npm run lock`, after every `npm install` that changed the lock file. */
const added = completeLock(join(root, 'package-lock.json'))
console.log(
  added.length === 0
    ? 'The lock file is complete.'
    : `Added ${added.length} builds for other platforms to the lock file.`,
)
