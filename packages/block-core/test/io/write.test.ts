// Data writes: read-modify-write of partial blocks, also of many at once; splitting, durability, zero detection.
import { expect, test } from 'vitest'
import { writeNode } from '../../src/io/write.ts'
import { expectSameBytes, filled, stamped } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'
import { Clusters, clustersOver } from '../helpers/clusters.ts'
import { openListener } from '../helpers/listener.ts'
import { gate, openRecorder, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

function recorderOf(content: Uint8Array | number, limits: Recorder['limits'] = {}): Recorder {
  const recorder = new Recorder(content)
  recorder.limits = limits
  return recorder
}

test('a partial block is read, changed and written whole', async () => {
  const recorder = recorderOf(stamped(0, 16384), { requestAlignment: 4096 })
  await using opened = await openRecorder(recorder)
  await opened.disk.write(1000, filled(9, 8000))
  expect(recorder.take()).toEqual(['read 0+4096', 'read 8192+4096', 'write 0+12288'])
  const expected = stamped(0, 16384)
  expected.fill(9, 1000, 9000)
  expect(recorder.store.bytes()).toEqual(expected)
})

test('whole blocks are written as they are, nothing is read', async () => {
  const recorder = recorderOf(8192, { requestAlignment: 4096 })
  await using opened = await openRecorder(recorder)
  await opened.disk.write(4096, filled(1, 4096))
  await opened.disk.write(100, new Uint8Array(0))
  expect(recorder.take()).toEqual(['write 4096+4096'])
})

test('a long write is split at the longest transfer', async () => {
  const recorder = recorderOf(16384, { requestAlignment: 512, maxTransfer: 5000 })
  await using opened = await openRecorder(recorder)
  await opened.disk.write(512, stamped(512, 10240))
  expect(recorder.take()).toEqual(['write 512+4608', 'write 5120+4608', 'write 9728+1024'])
  expect(recorder.store.bytes().subarray(512, 10752)).toEqual(stamped(512, 10240))
})

// Each write reads the block, changes its own bytes and writes it back: without serialising, one would undo another.
test('parallel unaligned writes to one block all arrive, seed 5', async () => {
  const choose = random(5)
  const recorder = recorderOf(65536, { requestAlignment: 4096 })
  recorder.before = async () => {
    for (let turn = choose.below(4); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
  }
  await using opened = await openRecorder(recorder)
  const model = new Uint8Array(65536)
  const writes: Promise<void>[] = []
  for (let i = 0; i < 200; i++) {
    const offset = i * 300 + choose.below(200)
    const data = filled(1 + (i % 255), 1 + choose.below(100))
    model.set(data, offset)
    writes.push(i % 5 === 0 ? opened.disk.writeZeroes(offset, data.length) : opened.disk.write(offset, data))
    if (i % 5 === 0) model.fill(0, offset, offset + data.length)
    if (i % 10 === 0) await settle()
  }
  await Promise.all(writes)
  expectSameBytes(recorder.store.bytes(), model, 'after parallel writes')
  expect(opened.node.tracked.size).toBe(0)
})

test('a write past the end makes the node longer', async () => {
  const recorder = recorderOf(512)
  await using opened = await openRecorder(recorder)
  await writeNode(opened.node, 1000, filled(1, 24))
  expect(opened.node.length).toBe(1024)
})

test('durability: the driver that can is told so for every piece', async () => {
  const recorder = recorderOf(8192, { maxTransfer: 4096 })
  recorder.supportsFua = true
  await using opened = await openRecorder(recorder)
  await opened.disk.write(0, filled(1, 8192), { fua: true })
  expect(recorder.take()).toEqual(['write 0+4096 fua', 'write 4096+4096 fua'])
})

// The reference forgets the flush of the first such write on a node without children (docs/differences.md).
test('durability: the core flushes for a driver that cannot, after the last piece, each time', async () => {
  const recorder = recorderOf(8192, { maxTransfer: 4096 })
  await using opened = await openRecorder(recorder)
  await opened.disk.write(0, filled(1, 8192), { fua: true })
  expect(recorder.take()).toEqual(['write 0+4096', 'write 4096+4096', 'flush'])
  await opened.disk.write(0, filled(1, 512), { fua: true })
  expect(recorder.take()).toEqual(['write 0+512', 'flush'])
})

test('a durable write fails where its flush does', async () => {
  const recorder = recorderOf(8192)
  await using opened = await openRecorder(recorder)
  recorder.before = (request) => (request === 'flush' ? Promise.reject(new Error('no flush')) : undefined)
  expect(await failure(opened.disk.write(0, filled(1, 512), { fua: true }))).toBe('no flush')
  recorder.before = undefined
  recorder.take()
  await opened.disk.flush()
  expect(recorder.take()).toEqual(['flush'])
})

test('a failed write leaves nothing in flight and is still accounted for', async () => {
  const recorder = recorderOf(8192, { requestAlignment: 4096 })
  await using opened = await openRecorder(recorder)
  recorder.before = (request) => (request.startsWith('write') ? Promise.reject(new Error('no write')) : undefined)
  const before = opened.node.writeGeneration
  expect(await failure(opened.disk.write(0, filled(1, 10)))).toBe('no write')
  expect(opened.node.tracked.size).toBe(0)
  expect(opened.node.writeGeneration).toBe(before + 1)
  recorder.before = undefined
  await opened.disk.write(5, filled(1, 10))
})

test('events: one before the driver, one after it, also when it failed', async () => {
  const recorder = recorderOf(8192)
  await using opened = await openListener(recorder)
  await opened.disk.write(0, filled(1, 512), { fua: true })
  expect(recorder.take()).toEqual(['event pwritev', 'write 0+512', 'flush', 'event pwritev_done'])
  recorder.before = (request) => (request.startsWith('write') ? Promise.reject(new Error('no write')) : undefined)
  expect(await failure(opened.disk.write(0, filled(1, 512)))).toBe('no write')
  expect(recorder.take()).toEqual(['event pwritev', 'write 0+512', 'event pwritev_done'])
})

test.each([
  ['on', 'zero 0+4096'],
  ['unmap', 'zero 0+4096 unmap'],
  ['off', 'write 0+4096'],
])('detect-zeroes=%s: zeroes go out as %s', async (value, request) => {
  const recorder = recorderOf(8192, { requestAlignment: 4096 })
  await using opened = await openRecorder(recorder, { 'detect-zeroes': value, discard: 'unmap' })
  await opened.disk.write(0, new Uint8Array(4096))
  await opened.disk.write(4096, filled(1, 4096))
  expect(recorder.take()).toEqual([request, 'write 4096+4096'])
})

test('detect-zeroes looks at the padded blocks, and leaves drivers alone that have no zero writes', async () => {
  const full = recorderOf(filled(1, 4096), { requestAlignment: 4096 })
  await using opened = await openRecorder(full, { 'detect-zeroes': 'on' })
  await opened.disk.write(0, new Uint8Array(512))
  expect(full.take()).toEqual(['read 0+4096', 'write 0+4096'])
  const plain = recorderOf(4096)
  plain.zeroes = 'none'
  await using without = await openRecorder(plain, { 'detect-zeroes': 'on' })
  await without.disk.write(0, new Uint8Array(4096))
  expect(plain.take()).toEqual(['write 0+4096'])
})

test('several buffers: zeroes are detected in all of them together, formats guessed from all of them', async () => {
  const recorder = recorderOf(8192, { requestAlignment: 512 })
  await using opened = await openRecorder(recorder, { 'detect-zeroes': 'on' })
  await opened.disk.write(0, [new Uint8Array(4000), new Uint8Array(96)])
  await opened.disk.write(4096, [new Uint8Array(4000), filled(1, 96)])
  expect(recorder.take()).toEqual(['zero 0+4096', 'write 4096+4096'])
  opened.node.probeAgain = (head) =>
    head.length === 512 && head[0] === 0x51 && head[511] === 0x52 ? 'qcow2' : 'recorder'
  expect(await failure(opened.disk.write(0, [filled(0x51, 100), filled(0x52, 412)]))).toBe('Operation not permitted')
  await opened.disk.write(0, [filled(0x53, 100), filled(0x52, 412)])
})

test('a serialising write has its clusters to itself', async () => {
  const clusters = new Clusters(65536, 4096)
  await using opened = await openSpec(clustersOver(clusters))
  const hold = gate()
  clusters.before = (request) => (request === 'write 100+100' ? hold.opened : undefined)
  const first = writeNode(opened.node, 100, filled(1, 100), { serialising: true })
  const second = writeNode(opened.node, 4000, filled(1, 50))
  const far = writeNode(opened.node, 4096, filled(1, 50))
  await settle()
  expect(clusters.take()).toEqual(['write 100+100', 'write 4096+50'])
  hold.open()
  await Promise.all([first, second, far])
  expect(clusters.take()).toEqual(['write 4000+50'])
})
