/**
 * Stands in for qemu-io until apps/qemu-io-cli exists: the commands that our tests use, on the public API of block-core
 * and the drivers, with qemu-io's options, output and exit status.
 */

import module from 'node:module'
import { processOutput } from './output.ts'
import { runBlockIo } from './run.ts'

// Saves compiling on the next start, and a test starts it a hundred times; Node 20 has no such cache.
module.enableCompileCache?.()

process.exitCode = await runBlockIo(process.argv.slice(2), processOutput)
