// Reads only read more where a driver wants whole blocks, see zeroes past the end, and wait for whom they must.
import { expect, test } from 'vitest'
import { readNode } from '../../src/io/read.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { gate, openRecorder, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

function recorderOf(content: Uint8Array | number, requestAlignment = 1): Recorder {
  const recorder = new Recorder(content)
  recorder.limits = { requestAlignment }
  return recorder
}

test('an unaligned read becomes one request of whole blocks', async () => {
  const content = stamped(0, 16384)
  const recorder = recorderOf(content, 4096)
  await using opened = await openRecorder(recorder)
  const into = new Uint8Array(8000)
  await opened.disk.read(1000, into)
  expect(recorder.take()).toEqual(['read 0+12288'])
  expect(into).toEqual(content.subarray(1000, 9000))
})

test('an aligned read fills the very buffer', async () => {
  const recorder = recorderOf(stamped(0, 8192), 4096)
  await using opened = await openRecorder(recorder)
  const into = new Uint8Array(4096)
  await opened.disk.read(4096, into)
  expect(recorder.take()).toEqual(['read 4096+4096'])
  expect(into).toEqual(stamped(4096, 4096))
})

test('an empty read never reaches the driver, wherever it is', async () => {
  const recorder = recorderOf(4096, 4096)
  await using opened = await openRecorder(recorder)
  await opened.disk.read(1, new Uint8Array(0))
  expect(recorder.take()).toEqual([])
})

test('bytes past the end of the storage read as zero and are not asked for', async () => {
  const recorder = recorderOf(filled(7, 1000))
  await using opened = await openRecorder(recorder)
  expect(opened.node.length).toBe(1024)
  const into = filled(9, 1024)
  await opened.disk.read(0, into)
  expect(recorder.take()).toEqual(['read 0+1000'])
  expect(into).toEqual(new Uint8Array([...filled(7, 1000), ...filled(0, 24)]))
})

test('inside the graph a read may lie past the end altogether', async () => {
  const recorder = recorderOf(filled(7, 1024), 512)
  await using opened = await openRecorder(recorder)
  const into = filled(9, 2000)
  await readNode(opened.node, 900, into)
  expect(recorder.take()).toEqual(['read 512+512'])
  expect(into).toEqual(new Uint8Array([...filled(7, 124), ...filled(0, 1876)]))
  await readNode(opened.node, 8192, into)
  expect(recorder.take()).toEqual([])
  expect(into).toEqual(filled(0, 2000))
})

test('a failed read fails the request and leaves nothing in flight', async () => {
  const recorder = recorderOf(8192, 4096)
  await using opened = await openRecorder(recorder)
  recorder.before = () => Promise.reject(new Error('the disk is gone'))
  expect(await failure(opened.disk.read(0, new Uint8Array(100)))).toBe('the disk is gone')
  expect(opened.node.tracked.size).toBe(0)
})

// Without the wait, the read could see the padding of a write that is half way through read, change and write.
test('a read waits for a write that works on the same block', async () => {
  const recorder = recorderOf(filled(1, 8192), 4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  recorder.before = (request) => (request.startsWith('write') ? hold.opened : undefined)
  const writing = opened.disk.write(100, filled(2, 10))
  await settle()
  const into = new Uint8Array(4096)
  const reading = opened.disk.read(0, into)
  const elsewhere = opened.disk.read(4096, new Uint8Array(4096))
  await elsewhere
  await settle()
  expect(recorder.take()).toEqual(['read 0+4096', 'write 0+4096', 'read 4096+4096'])
  hold.open()
  await Promise.all([writing, reading])
  expect(recorder.take()).toEqual(['read 0+4096'])
  expect(into[100]).toBe(2)
})

test('a memory store answers reads past its end with zeroes', () => {
  const into = filled(1, 4)
  new MemoryStore(filled(5, 2)).read(1, into)
  expect([...into]).toEqual([5, 0, 0, 0])
})

test('prefetching reaches a filter that copies through filters that do not', async () => {
  const recorder = new Recorder(8192)
  await using opened = await openSpec(filterOver(filterOver(record(recorder))))
  const copying = graphNode(opened.node.children.get('file')!)
  Object.assign(copying.layer, {
    prefetch: (offset: number, bytes: number) => recorder.note(`prefetch ${offset}+${bytes}`),
  })
  const into = new Uint8Array(4096).fill(0xee)
  await readNode(opened.node, 512, into, { prefetch: true })
  expect(recorder.take()).toEqual(['prefetch 512+4096'])
  expect(into.every((byte) => byte === 0xee)).toBe(true)
})

test('prefetching reaches a filter that copies, split and clamped; others do nothing', async () => {
  const recorder = new Recorder(10000)
  recorder.limits = { requestAlignment: 512, maxTransfer: 4096 }
  await using opened = await openRecorder(recorder)
  const into = new Uint8Array(20000).fill(0xee)
  await readNode(opened.node, 1000, into, { prefetch: true })
  Object.assign(opened.node.layer, {
    prefetch: (offset: number, bytes: number) => recorder.note(`prefetch ${offset}+${bytes}`),
  })
  await readNode(opened.node, 1000, into, { prefetch: true })
  expect(recorder.take()).toEqual(['prefetch 512+4096', 'prefetch 4608+4096', 'prefetch 8704+1536'])
  expect(into.every((byte) => byte === 0xee)).toBe(true)
})
