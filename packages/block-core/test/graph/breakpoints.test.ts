// Breakpoints are set on the node that a user knows, kept by the one below it that listens, and refused by name.
import { expect, test } from 'vitest'
import {
  debugListenerOf,
  isSuspended,
  removeBreakpoint,
  resumeSuspended,
  setBreakpoint,
  untilSuspended,
} from '../../src/index.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { listen } from '../helpers/listener.ts'
import { openSpec } from '../helpers/open-recorder.ts'
import { pairOf } from '../helpers/pair.ts'
import { Recorder } from '../helpers/recorder.ts'

test('the listener is found from above, and is told', async () => {
  const recorder = new Recorder(512)
  await using opened = await openSpec(pairOf({ recorder, file: listen(recorder) }))
  expect(debugListenerOf(opened.node)).toBeDefined()
  recorder.log.length = 0
  setBreakpoint(opened.node, 'l2_load', 'A')
  removeBreakpoint(opened.node, 'B')
  resumeSuspended(opened.node, 'C')
  await untilSuspended(opened.node, 'D')
  expect([isSuspended(opened.node, 'E'), isSuspended(opened.node, 'D')]).toEqual([false, true])
  expect(recorder.log).toEqual(['break l2_load A', 'remove_break B', 'resume C', 'wait_break D'])
})

test('an event that does not exist', async () => {
  const recorder = new Recorder(512)
  await using opened = await openSpec(listen(recorder))
  expect(() => setBreakpoint(opened.node, 'no_such_event', 'A')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test('where nobody listens', async () => {
  await using opened = await openSpec(memory(new MemoryStore(512)))
  const { node } = opened
  const refused = expect.objectContaining({ code: 'ENOTSUP' })
  expect(debugListenerOf(node)).toBeUndefined()
  expect(() => setBreakpoint(node, 'no_such_event', 'A')).toThrow(refused)
  expect(() => removeBreakpoint(node, 'A')).toThrow(refused)
  expect(() => resumeSuspended(node, 'A')).toThrow(refused)
  expect(isSuspended(node, 'A')).toBe(false)
  // A turn of the event loop is more than any promise needs that is ever to come.
  const turn = new Promise((resolve) => setTimeout(() => resolve('still waiting'), 0))
  expect(await Promise.race([untilSuspended(node, 'A'), turn])).toBe('still waiting')
})
