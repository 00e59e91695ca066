/** What the command line asks for. */

import { readFileSync } from 'node:fs'
import { BlockError, isErrno } from '@blocklayer/block-core'
import { GetoptLong, ObjectDefinitions, type Shell, shells, tableOf } from '@blocklayer/command-line'
import { ThrottleGroup } from '@blocklayer/driver-throttle'
import { CommandFailure, OpenSettings } from '@blocklayer/qemu-io'
import { programOptions } from './program-options.ts'

/** A command line that was understood. */
export type Invocation =
  | { readonly kind: 'session'; readonly session: SessionRequest }
  /** Something is printed, and that is all. */
  | { readonly kind: 'help' | 'version' | 'man' }
  | { readonly kind: 'completion'; readonly shell: Shell }
  | { readonly kind: 'text'; readonly text: string }
  /** Wrong usage: a complaint, if there is one, and the help. */
  | { readonly kind: 'usage'; readonly complaint: string | undefined }

/** Commands, and the image that they are for. */
export interface SessionRequest {
  readonly file: string | undefined
  readonly format: string | undefined
  readonly imageOpts: boolean
  readonly settings: OpenSettings
  /** From `-c`; none: lines come from standard input. */
  readonly commands: readonly string[]
  readonly driverModules: readonly string[]
  /** From `--object`. */
  readonly throttleGroups: ReadonlyMap<string, ThrottleGroup>
}

/**
 * Reads the arguments behind the program's name.
 *
 * @throws CommandFailure for a value that no option takes
 */
export function parseInvocation(args: readonly string[]): Invocation {
  const rules = { stopAtOperand: process.env.POSIXLY_CORRECT !== undefined }
  const scanner = new GetoptLong(['qemu-io', ...args], tableOf(programOptions), rules)
  const options = new ProgramSettings()
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    if (step.kind !== 'option') return { kind: 'usage', complaint: step.complaint }
    const ended = options.take(step.id, step.argument ?? '')
    if (ended !== undefined) return ended
  }
  const [file, ...more] = scanner.operands
  if (more.length > 0) return { kind: 'usage', complaint: undefined }
  return { kind: 'session', session: options.session(file) }
}

/** The options as far as they were read. */
class ProgramSettings {
  readonly #settings = new OpenSettings()
  readonly #throttleGroups = new Map<string, ThrottleGroup>()
  readonly #objects = new ObjectDefinitions(readSecret, (id, limits) => {
    this.#throttleGroups.set(id, new ThrottleGroup(id, limits))
  })
  readonly #commands: string[] = []
  readonly #driverModules: string[] = []
  #format: string | undefined
  #imageOpts = false

  /** Takes one option. @returns what the program is to do instead of going on */
  take(id: string, value: string): Invocation | undefined {
    if (this.#settings.take(id, value)) return undefined
    if (id === 'h') return { kind: 'help' }
    if (id === 'V') return { kind: 'version' }
    if (id === 'man') return { kind: 'man' }
    if (id === 'completion') return { kind: 'completion', shell: parseShell(value) }
    if (id === 'object') return this.#define(value)
    if (id === 'c') this.#commands.push(value)
    if (id === 'f') this.#format = value
    if (id === 'image-opts') this.#imageOpts = true
    if (id === 'driver') this.#driverModules.push(value)
    // Tracing (-T) is the reference's own instrument, and buffers here have no addresses to misalign (-m): both are
    // taken so that scripts with them still run.
    return undefined
  }

  session(file: string | undefined): SessionRequest {
    if (this.#imageOpts && this.#format !== undefined) {
      throw new CommandFailure({ told: '--image-opts and -f are mutually exclusive' })
    }
    return {
      file,
      format: this.#format,
      imageOpts: this.#imageOpts,
      settings: this.#settings,
      commands: this.#commands,
      driverModules: this.#driverModules,
      throttleGroups: this.#throttleGroups,
    }
  }

  #define(text: string): Invocation | undefined {
    const outcome = this.#objects.add(text)
    if (outcome.kind === 'defined') return undefined
    if (outcome.kind === 'help') return { kind: 'text', text: outcome.text }
    const hint = outcome.hint === undefined ? {} : { err: `${outcome.hint}\n` }
    throw new CommandFailure({ told: outcome.message, ...hint })
  }
}

function parseShell(name: string): Shell {
  const found = shells.find((shell) => shell === name)
  if (found === undefined) throw new CommandFailure({ told: `Completion is for ${shells.join(', ')}` })
  return found
}

function readSecret(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (typeof code !== 'string' || !isErrno(code)) throw error
    throw BlockError.fromErrno(code)
  }
}
