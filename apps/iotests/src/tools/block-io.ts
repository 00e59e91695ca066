/**
 * Stands in for qemu-io until apps/qemu-io-cli exists: the commands that our tests use, on the public API of block-core
 * and the drivers, with qemu-io's options, output and exit status.
 */

import { runBlockIo } from './run.ts'
import { processOutput } from './output.ts'

process.exitCode = await runBlockIo(process.argv.slice(2), processOutput)
