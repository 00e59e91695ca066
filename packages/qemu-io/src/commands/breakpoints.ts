/** `break`, `remove_break`, `resume` and `wait_break`: requests that wait at a blkdebug event until they may go on. */

import {
  BlockError,
  blkdebugEvents,
  removeBreakpoint,
  resumeSuspended,
  setBreakpoint,
  untilSuspended,
} from '@blocklayer/block-core'
import type { Command } from '../command.ts'
import { complain } from '../failure.ts'
import { backendOf } from './shared.ts'

/** `break event tag` */
export const breakCommand: Command = {
  name: 'break',
  synopsis: 'event tag',
  summary: 'sets a breakpoint on event and tags the stopped request as tag',
  details: `Events: ${blkdebugEvents.join(' ')}`,
  wordsMin: 2,
  wordsMax: 2,
  run(session, { words: [event = '', tag = ''] }) {
    attempt('Could not set breakpoint', () => setBreakpoint(backendOf(session).root, event, tag))
    return true
  },
}

/** `remove_break tag` */
export const removeBreakCommand: Command = {
  name: 'remove_break',
  synopsis: 'tag',
  summary: 'remove a breakpoint by tag',
  wordsMin: 1,
  wordsMax: 1,
  run(session, { words: [tag = ''] }) {
    attempt(`Could not remove breakpoint ${tag}`, () => removeBreakpoint(backendOf(session).root, tag))
    return true
  },
}

/** `resume tag` */
export const resumeCommand: Command = {
  name: 'resume',
  synopsis: 'tag',
  summary: 'resumes the request tagged as tag',
  wordsMin: 1,
  wordsMax: 1,
  run(session, { words: [tag = ''] }) {
    attempt('Could not resume request', () => resumeSuspended(backendOf(session).root, tag))
    return true
  },
}

/** `wait_break tag`: for ever where nothing stops, as in the reference. */
export const waitBreakCommand: Command = {
  name: 'wait_break',
  synopsis: 'tag',
  summary: 'waits for the suspension of a request',
  wordsMin: 1,
  wordsMax: 1,
  async run(session, { words: [tag = ''] }) {
    await session.outstanding.during(() => untilSuspended(backendOf(session).root, tag))
    return true
  },
}

function attempt(what: string, change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw complain(`${what}: ${error.errnoText}`)
  }
}
