// A flush reports success only for data that is durable: its order, its generations, and many of them at once.
import { expect, test } from 'vitest'
import { flushNode } from '../../src/io/flush.ts'
import { filled } from '../../src/testing/patterns.ts'
import { listen } from '../helpers/listener.ts'
import { gate, openRecorder, openSpec, settle } from '../helpers/open-recorder.ts'
import { pair, pairOf } from '../helpers/pair.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

test('a flush goes to the disk once for what was written since the last', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  await opened.disk.flush()
  expect(recorder.take()).toEqual([])
  await opened.disk.write(0, filled(1, 512))
  await opened.disk.flush()
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['write 0+512', 'flush'])
})

// The first flush may have passed the disk before the second write came: it does not cover it.
test('a write during a flush needs a flush of its own', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  recorder.before = (request) => (request === 'flush' ? hold.opened : undefined)
  await opened.disk.write(0, filled(1, 512))
  const first = opened.disk.flush()
  await settle()
  await opened.disk.write(512, filled(1, 512))
  const second = opened.disk.flush()
  const third = opened.disk.flush()
  await settle()
  expect(recorder.take()).toEqual(['write 0+512', 'flush', 'write 512+512'])
  hold.open()
  await Promise.all([first, second, third])
  expect(recorder.take()).toEqual(['flush'])
})

test('a flush that joined a failed one tries itself, and does not succeed by waiting', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  let flushes = 0
  recorder.before = async (request) => {
    if (request === 'flush' && ++flushes <= 2) throw new Error(`flush ${flushes} failed`)
  }
  await opened.disk.write(0, filled(1, 512))
  const [first, second] = [failure(opened.disk.flush()), failure(opened.disk.flush())]
  expect([await first, await second]).toEqual(['flush 1 failed', 'flush 2 failed'])
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['write 0+512', 'flush', 'flush', 'flush'])
})

test('a flush does not wait for writes that have not returned, nor cover them', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  await opened.disk.write(0, filled(1, 512))
  recorder.before = (request) => (request === 'write 512+512' ? hold.opened : undefined)
  const writing = opened.disk.write(512, filled(1, 512))
  await settle()
  await opened.disk.flush()
  hold.open()
  await writing
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['write 0+512', 'write 512+512', 'flush', 'flush'])
})

test('cache.no-flush leaves out the disk only', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(pair(recorder), { cache: { noFlush: true } })
  await opened.disk.write(0, filled(1, 512))
  recorder.take()
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['to os'])
})

test('a read-only node has nothing to flush', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder, {}, { readOnly: true })
  opened.node.writeGeneration++
  await opened.disk.flush()
  expect(recorder.take()).toEqual([])
})

test('order: caches to the children, own storage, then every child that is written to', async () => {
  const recorder = new Recorder(4096)
  const other = new Recorder(4096)
  const readOnly = new Recorder(4096)
  await using opened = await openSpec(pairOf({ recorder, other: record(other), unwritten: record(readOnly) }))
  await opened.disk.write(0, filled(1, 512))
  for (const one of [recorder, other, readOnly]) one.take()
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['to os', 'to disk', 'flush'])
  expect(other.take()).toEqual(['write 0+1', 'flush'])
  expect(readOnly.take()).toEqual([])
})

test('the steps are announced to the primary child', async () => {
  const recorder = new Recorder(4096)
  await using above = await openSpec(pairOf({ recorder, file: listen(recorder) }))
  await above.disk.write(0, filled(1, 512))
  recorder.take()
  await above.disk.flush()
  expect(recorder.take()).toEqual(['event flush_to_os', 'to os', 'event flush_to_disk', 'to disk', 'flush'])
  await above.disk.flush()
  expect(recorder.take()).toEqual(['event flush_to_os', 'to os'])
})

// A driver that ejects itself may lose writes that had returned: success would be a lie.
test('a node without medium cannot promise anything', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  opened.node.eject()
  expect(await failure(flushNode(opened.node))).toBe('No medium found')
})

test('a child that fails does not keep the others from being flushed', async () => {
  const [a, b] = [new Recorder(4096), new Recorder(4096)]
  await using opened = await openSpec(pairOf({ recorder: a, other: record(b) }))
  const flushes = (): number[] => [a, b].map((it) => it.take().filter((request) => request === 'flush').length)
  await opened.disk.write(0, filled(1, 512))
  flushes()
  a.before = (request) => (request === 'flush' ? Promise.reject(new Error('a does not flush')) : undefined)
  b.before = (request) => (request === 'flush' ? Promise.reject(new Error('b does not flush')) : undefined)
  expect(await failure(opened.disk.flush())).toBe('a does not flush')
  expect(flushes()).toEqual([1, 1])
  a.before = undefined
  b.before = undefined
  await opened.disk.flush()
  expect(flushes()).toEqual([1, 1])
})

test('all that come while a flush runs share the next one', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  recorder.before = (request) => (request === 'flush' ? hold.opened : undefined)
  await opened.disk.write(0, filled(1, 512))
  const first = opened.disk.flush()
  await settle()
  await opened.disk.write(0, filled(2, 512))
  const others = Array.from({ length: 1000 }, () => opened.disk.flush())
  await settle()
  expect(recorder.take()).toEqual(['write 0+512', 'flush', 'write 0+512'])
  hold.open()
  await Promise.all([first, ...others])
  expect(recorder.take()).toEqual(['flush'])
})

// Reopened with another cache mode, the node owes what it left out before.
test('what a flush left out with cache.no-flush is made up for later', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder), { cache: { noFlush: true } })
  await opened.disk.write(0, filled(1, 512))
  await opened.disk.flush()
  opened.node.flags = { ...opened.node.flags, noFlush: false }
  await opened.disk.flush()
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['write 0+512', 'flush'])
})
