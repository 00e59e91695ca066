/** `abort`, `sigraise`, `sleep` and `quit`: the program itself. */

import type { Command } from '../command.ts'
import { complain } from '../failure.ts'
import { requireHost } from '../host.ts'
import { parseMilliseconds } from '../numbers.ts'
import { numberOf } from './shared.ts'

/** Signals are numbered below this; the reference lets the number itself through. */
const signalMax = 65

/** `abort` */
export const abortCommand: Command = {
  name: 'abort',
  summary: 'simulate a program crash using abort(3)',
  wordsMin: 0,
  wordsMax: 0,
  withoutImage: true,
  run({ host }) {
    requireHost(host.abort?.bind(host))()
    return true
  },
}

/** `sigraise signal` */
export const sigraiseCommand: Command = {
  name: 'sigraise',
  synopsis: 'signal',
  summary: 'raises a signal',
  details: "'sigraise 15' raises SIGTERM in this program. What was printed is out before.",
  wordsMin: 1,
  wordsMax: 1,
  withoutImage: true,
  run(session, { words: [word = ''] }) {
    const { host } = session
    const signal = numberOf(session, word)
    if (signal > signalMax) throw complain(`signal argument '${word}' is too large to be a valid signal`)
    requireHost(host.raise?.bind(host))(signal)
    return true
  },
}

/** `sleep`: milliseconds, during which outstanding requests go on. */
export const sleepCommand: Command = {
  name: 'sleep',
  summary: 'waits for the given value in milliseconds',
  wordsMin: 1,
  wordsMax: 1,
  withoutImage: true,
  async run(session, { words: [word = ''] }) {
    const milliseconds = parseMilliseconds(word)
    await session.outstanding.during(() => new Promise((resolve) => setTimeout(resolve, milliseconds)))
    return true
  },
}

/** `quit` */
export const quitCommand: Command = {
  name: 'quit',
  alias: 'q',
  summary: 'exit the program',
  wordsMin: 0,
  withoutImage: true,
  run(session) {
    session.ended = true
    return true
  },
}
