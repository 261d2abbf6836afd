import path from 'node:path'
import { rolldown } from 'rolldown'

/** One file, plain JavaScript: a device needs it and a Node of the pinned version, nothing else. */
const folder = import.meta.dirname
const bundle = await rolldown({ input: path.join(folder, 'src/main.ts'), platform: 'node', logLevel: 'warn' })
await bundle.write({
  file: path.join(folder, 'dist/bascule-agent.mjs'),
  format: 'esm',
  minify: { mangle: false, compress: true, codegen: { removeWhitespace: false } },
  codeSplitting: false,
  banner: '#!/usr/bin/env node',
})
await bundle.close()
