/** The program itself: one process, one command line. */

import { basename } from 'node:path'
import type { ImportModule } from '@blocklayer/cli-host'
import { runTool } from './run.ts'
import { processTerminal } from './terminal.ts'

/** Runs the program to its end. @param importModule - the starter's `import()` */
export async function main(importModule: ImportModule): Promise<never> {
  // The reference ignores it where there is no progress to show; Node would open its debugger.
  process.on('SIGUSR1', () => {})
  const terminal = processTerminal()
  const status = await runTool({
    programName: basename(process.argv[1] ?? 'qemu-img').replace(/\.js$/, ''),
    args: process.argv.slice(2),
    terminal,
    directory: process.cwd(),
    driverModules: process.env.BLOCKLAYER_DRIVERS,
    compat: process.env.BLOCKLAYER_COMPAT,
    errors: process.env.BLOCKLAYER_ERRORS,
    importModule,
  }).finally(() => terminal.flush())
  process.exit(status)
}
