/** The program: one process, one command line. */

import module from 'node:module'
import { basename } from 'node:path'
import { runTool } from './run.ts'
import { processTerminal } from './terminal.ts'

// Saves compiling on the next start; Node 20 has no such cache.
module.enableCompileCache?.()

// The reference ignores it where there is no progress to show; Node would open its debugger.
process.on('SIGUSR1', () => {})

const exitStatus = await runTool({
  programName: basename(process.argv[1] ?? 'qemu-img').replace(/\.js$/, ''),
  args: process.argv.slice(2),
  terminal: processTerminal,
  directory: process.cwd(),
  driverModules: process.env.BLOCKLAYER_DRIVERS,
  compat: process.env.BLOCKLAYER_COMPAT,
  errors: process.env.BLOCKLAYER_ERRORS,
})
process.exit(exitStatus)
