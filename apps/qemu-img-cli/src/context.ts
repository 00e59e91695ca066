/** What a command gets: where to print, under which name, and the drivers it may use. */

import type { AnyDriver } from '@blocklayer/block-core'
import type { Compat } from './compat.ts'
import type { ObjectStore } from './args/object-opts.ts'
import type { Terminal } from './terminal.ts'

/** The surroundings of one command. */
export interface CommandContext extends Terminal {
  /** Name before every message: how the program was called. */
  readonly programName: string
  /** Whose output is printed where releases of the reference differ. */
  readonly compat: Compat
  /** What `--object` defined. */
  readonly objects: ObjectStore
  /** Remembers a module that {@link drivers} will load. */
  addDriverModule(specifier: string): void
  /** The built-in drivers and those of the modules that were named. */
  drivers(): Promise<readonly AnyDriver[]>
  /** Prints a failure that is meant for the user, unless that was done before. */
  tell(error: unknown): void
  /** `<program>: warning: <message>` on standard error. */
  warn(message: string): void
}
