/** What the program has to work with. */

import type { ImportModule } from '@blocklayer/cli-host'
import type { Host } from '@blocklayer/qemu-io'
import type { Terminal } from './terminal.ts'

/** Where command lines come from while there is no `-c`. */
export interface LineSource {
  /** Prints the prompt if that is nobody else's task, and gives the next line; `undefined` at the end. */
  next(): Promise<string | undefined>
  close(): void
}

/** How the tool was called. */
export interface ToolCall {
  readonly programName: string
  /** Arguments after the program's name. */
  readonly args: readonly string[]
  readonly terminal: Terminal
  readonly host: Host
  /** The folder the user stands in. */
  readonly directory: string
  /** Driver modules from the environment, separated by commas. */
  readonly driverModules: string | undefined
  readonly importModule: ImportModule
  readonly lines: (prompt: string) => Promise<LineSource>
}
