#!/usr/bin/env node
/** What is started: it runs the program from compiled code. */

import { runBundle } from '@blocklayer/cli-host'

// Each subcommand needs functions of its own.
const [word = ''] = process.argv.slice(2)
const kind = /^[a-z]{2,10}$/.test(word) ? word : 'general'
const program = runBundle({
  name: 'qemu-img',
  folder: __dirname,
  file: 'program.js',
  kind,
}) as typeof import('./program.ts')
// A bundle that runs from compiled code has no `import()` of its own.
void program.main((specifier) => import(specifier))
