import path from 'node:path'
import { rolldown } from 'rolldown'

/** One file, plain JavaScript: a device needs it and a Node of the pinned version, nothing else. */
const folder = import.meta.dirname
// An older Node would fail in the middle of the file, with a stack that says nothing to whoever runs it.
const banner = `#!/usr/bin/env node
if (globalThis.Temporal === undefined) {
  console.error('bascule-agent needs Node 26; this is Node ' + process.versions.node + '.')
  process.exit(70)
}`
const bundle = await rolldown({ input: path.join(folder, 'src/main.ts'), platform: 'node', logLevel: 'warn' })
await bundle.write({
  file: path.join(folder, 'dist/bascule-agent.mjs'),
  format: 'esm',
  minify: { mangle: false, compress: true, codegen: { removeWhitespace: false } },
  codeSplitting: false,
  banner,
})
await bundle.close()
