/** Proves that breakpoints reach whoever listens, and that errors are told by their errno. */

import { BlockError } from '@blocklayer/block-core'
import { type ChildSpec, type DebugSupport, defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { bench } from '../helpers/session.ts'

const calls: string[] = []

const debug: DebugSupport = {
  event: async () => {},
  setBreakpoint: (event, tag) => void calls.push(`set ${event} ${tag}`),
  removeBreakpoint(tag) {
    if (tag !== 'A') throw BlockError.fromErrno('ENOENT')
    calls.push(`remove ${tag}`)
  },
  resume(tag) {
    if (tag !== 'A') throw BlockError.fromErrno('ENOENT')
    calls.push(`resume ${tag}`)
  },
  isSuspended: () => false,
  untilSuspended: async (tag) => void calls.push(`wait ${tag}`),
}

const listening = defineDriver<{ file: ChildSpec }, never>({
  formatName: 'listening',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'x' } },
  open: async () => ({ length: 512, read: async () => {}, debug, close: async () => {} }),
})

test('a node that listens', async () => {
  const { run } = await bench({ over: () => nodeSpec(listening, {} as never), readOnly: true })
  for (const line of ['break write_aio A', 'wait_break A', 'resume A', 'remove_break A']) {
    expect(await run(line)).toBe('')
  }
  expect(calls).toEqual(['set write_aio A', 'wait A', 'resume A', 'remove A'])
  expect(await run('break foo A')).toBe('Could not set breakpoint: No such file or directory\nfailed')
  expect(await run('resume B')).toBe('Could not resume request: No such file or directory\nfailed')
  expect(await run('remove_break B')).toBe('Could not remove breakpoint B: No such file or directory\nfailed')
})

test('a node that does not', async () => {
  const { run } = await bench()
  expect(await run('break write_aio A')).toBe('Could not set breakpoint: Operation not supported\nfailed')
})
