#!/usr/bin/env node
/** What is started: it runs the program from compiled code. */

import { runBundle } from '@blocklayer/cli-host'

// What only tells about itself needs little of the program.
const [word = ''] = process.argv.slice(2)
const kind = /^-([hV]|-(help|version|man|completion))/.test(word) ? 'about' : 'session'
const program = runBundle({
  name: 'qemu-io',
  folder: __dirname,
  file: 'program.js',
  kind,
}) as typeof import('./program.ts')
// A bundle that runs from compiled code has no `import()` of its own.
void program.main((specifier) => import(specifier))
