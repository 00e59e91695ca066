/** What a command gets: where to print, under which name, and the drivers it may use. */

import type { AnyDriver } from '@blocklayer/block-core'
import type { Compat } from './compat.ts'
import type { ObjectStore } from './args/object-opts.ts'
import type { Presentation } from './presentation.ts'
import type { Reporter } from './reporter.ts'
import type { UntrustedMode } from './args/untrusted.ts'
import type { Terminal } from './terminal.ts'

/** The surroundings of one command. */
export interface CommandContext extends Terminal {
  /** Name before every message: how the program was called. */
  readonly programName: string
  /** Whose output is printed where releases of the reference differ. */
  readonly compat: Compat
  /** In which form results, progress and errors are printed. */
  readonly presentation: Presentation
  /** Where errors and warnings are printed. */
  readonly reporter: Reporter
  /** What `--object` defined. */
  readonly objects: ObjectStore
  /** What `--untrusted` and its limits say. */
  readonly untrusted: UntrustedMode
  /** Remembers a module that {@link drivers} will load. */
  addDriverModule(specifier: string): void
  /** The built-in drivers and those of the modules that were named. */
  drivers(): Promise<readonly AnyDriver[]>
  /** A warning on standard error; bound, so that it can be handed on. */
  readonly warn: (message: string) => void
}
