/** The program itself: one process, one command line. */

import { basename } from 'node:path'
import type { ImportModule } from '@blocklayer/cli-host'
import { openLines } from './lines/open-lines.ts'
import { nodeHost } from './node-host.ts'
import { runTool } from './run.ts'
import { ProcessTerminal } from './terminal.ts'

/** Runs the program to its end. @param importModule - the starter's `import()` */
export async function main(importModule: ImportModule): Promise<never> {
  // What waits for a request that never stops waits for ever, as in the reference: nothing else may end the process.
  setInterval(() => {}, 2 ** 30)

  const terminal = new ProcessTerminal()
  const status = await runTool({
    programName: basename(process.argv[1] ?? 'qemu-io').replace(/\.js$/, ''),
    args: process.argv.slice(2),
    terminal,
    host: nodeHost(terminal),
    directory: process.cwd(),
    driverModules: process.env.BLOCKLAYER_DRIVERS,
    lines: (prompt) => openLines(prompt, terminal),
    importModule,
  })
  process.exit(status)
}
