#!/usr/bin/env node
/** What is started: it runs the program from compiled code. */

import { runBundle } from '@blocklayer/cli-host'

const program = runBundle({
  name: 'qemu-io',
  folder: __dirname,
  file: 'program.js',
  kind: 'session',
}) as typeof import('./program.ts')
// A bundle that runs from compiled code has no `import()` of its own.
void program.main((specifier) => import(specifier))
