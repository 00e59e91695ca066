/** `--object`: definitions, as failures and output of this program. */

import { readFileSync } from 'node:fs'
import { BlockError, isErrno } from '@blocklayer/block-core'
import { ObjectDefinitions } from '@blocklayer/command-line'
import { ThrottleGroup } from '@blocklayer/driver-throttle'
import { Done, Failure } from '../failure.ts'
import type { Terminal } from '../terminal.ts'

/** The objects of one command line. */
export class ObjectStore {
  readonly #terminal: Terminal
  /** Groups that images can name. */
  readonly throttleGroups: Map<string, ThrottleGroup> = new Map()
  readonly #definitions = new ObjectDefinitions(readSecret, (id, limits) => {
    this.throttleGroups.set(id, new ThrottleGroup(id, limits))
  })

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /**
   * Adds what one `--object` argument defines, `secret,id=s0,data=…` or the same as JSON.
   *
   * @throws Failure with the reference's message; Done where the argument asked for help, which was printed
   */
  add(text: string): void {
    const outcome = this.#definitions.add(text)
    if (outcome.kind === 'defined') return
    if (outcome.kind === 'help') {
      this.#terminal.out(outcome.text)
      throw new Done()
    }
    throw new Failure(outcome.message, { hint: outcome.hint === undefined ? undefined : `${outcome.hint}\n` })
  }
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
