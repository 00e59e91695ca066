/** Proves that an event changes the state before it stops a request, and that a stopped request meets the new rules. */

import { expect, test } from 'vitest'
import { openDebugged, outcome, rule } from './support.ts'

// As observed: while the first write waits, the second one already finds the new state.
test('the state changes before the request stops', async () => {
  const { disk, debug, lines } = await openDebugged({
    setState: [rule({ event: 'write_aio', new_state: 7 })],
    injectError: [rule({ event: 'write_aio', state: 7 })],
  })
  debug.setBreakpoint('write_aio', 'A')
  const first = outcome(disk.write(0, new Uint8Array(65536)))
  await debug.untilSuspended('A')
  expect(await outcome(disk.write(65536, new Uint8Array(65536)))).toBe('EIO')
  debug.resume('A')
  expect(await first).toBe('EIO')
  expect(lines).toEqual(["blkdebug: Suspended request 'A'", "blkdebug: Resuming request 'A'"])
})

test('removing a breakpoint lets its request go on', async () => {
  const { disk, debug } = await openDebugged({})
  debug.setBreakpoint('pwritev', 'A')
  const write = outcome(disk.write(0, new Uint8Array(512)))
  await debug.untilSuspended('A')
  // The breakpoint was used up, and only its request is left.
  expect(() => debug.removeBreakpoint('A')).toThrow('No such file or directory')
  expect(await write).toBe('ok')
  expect(() => debug.resume('A')).toThrow('No such file or directory')
})
