// Zero writes: partial blocks at the edges are rewritten with zeroes patched in, the middle is zeroed.
import { expect, test } from 'vitest'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { openListener } from '../helpers/listener.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

function aligned(): Recorder {
  const recorder = new Recorder(stamped(0, 32768))
  recorder.limits = { requestAlignment: 4096 }
  return recorder
}

/** Requests of one zero write, after the content was compared with what it must be. */
async function requests(offset: number, bytes: number): Promise<string[]> {
  const recorder = aligned()
  await using opened = await openRecorder(recorder)
  await opened.disk.writeZeroes(offset, bytes)
  const expected = stamped(0, 32768)
  expected.fill(0, offset, offset + bytes)
  expect(recorder.store.bytes()).toEqual(expected)
  return recorder.take()
}

test('both edges are read before the first write; then head, middle and tail', async () => {
  expect(await requests(512, 12288)).toEqual([
    'read 0+4096',
    'read 12288+4096',
    'write 0+4096',
    'zero 4096+8192',
    'write 12288+4096',
  ])
})

test('what fits into one or two blocks is one read and one data write', async () => {
  expect(await requests(512, 1024)).toEqual(['read 0+4096', 'write 0+4096'])
  expect(await requests(4000, 200)).toEqual(['read 0+8192', 'write 0+8192'])
})

// As the reference's trace has it: the whole block must not become allocated data.
test('a whole block beside a partial one is zeroed, not written', async () => {
  expect(await requests(512, 7680)).toEqual(['read 0+4096', 'write 0+4096', 'zero 4096+4096'])
  expect(await requests(4096, 5000)).toEqual(['read 8192+4096', 'zero 4096+4096', 'write 8192+4096'])
})

test('an aligned range reads nothing, an empty one does nothing', async () => {
  expect(await requests(4096, 8192)).toEqual(['zero 4096+8192'])
  expect(await requests(100, 0)).toEqual([])
})

test('noFallback refuses partial blocks', async () => {
  const recorder = aligned()
  await using opened = await openRecorder(recorder)
  expect(await failure(opened.disk.writeZeroes(512, 8192, { noFallback: true }))).toBe('Operation not supported')
  expect(recorder.take()).toEqual([])
  await opened.disk.writeZeroes(4096, 4096, { noFallback: true })
  expect(recorder.take()).toEqual(['zero 4096+4096'])
})

test('a failure half-way leaves nothing in flight', async () => {
  const recorder = aligned()
  await using opened = await openRecorder(recorder)
  recorder.before = (request) => (request.startsWith('zero') ? Promise.reject(new Error('no zero')) : undefined)
  expect(await failure(opened.disk.writeZeroes(512, 12288))).toBe('no zero')
  expect(opened.node.tracked.size).toBe(0)
})

test('the middle is announced as a zero write, the edges as data', async () => {
  const recorder = aligned()
  await using opened = await openListener(recorder)
  await opened.disk.writeZeroes(4096, 4096)
  expect(recorder.take()).toEqual(['event pwritev_zero', 'zero 4096+4096', 'event pwritev_done'])
})

test('a durable zero write is flushed', async () => {
  const recorder = new Recorder(filled(1, 4096))
  await using opened = await openRecorder(recorder)
  await opened.disk.writeZeroes(0, 4096, { fua: true })
  expect(recorder.take()).toEqual(['zero 0+4096', 'flush'])
})
