// Copy-on-read: what is read from below is kept, whole clusters at a time, and a guest sees nothing of it.
import { expect, test } from 'vitest'
import { createBlockGraph, createDirtyBitmap, enableCopyOnRead } from '../../src/index.ts'
import { copyOnReadBytes } from '../../src/io/copy-on-read.ts'
import { readNode } from '../../src/io/read.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'
import { Clusters, clustersOver } from '../helpers/clusters.ts'
import { gate, type OpenRecorder, openSpec, settle } from '../helpers/open-recorder.ts'
import { failure } from '../helpers/world.ts'

async function over(clusters: Clusters, backing: Uint8Array): Promise<OpenRecorder> {
  const opened = await openSpec(clustersOver(clusters, memory(new MemoryStore(backing))))
  clusters.take()
  return opened
}

/** Requests that reached the driver, without its answers about allocation. */
const io = (clusters: Clusters): string[] => clusters.take().filter((request) => !request.startsWith('status'))

test('what is read is copied once, whole clusters, as a write that changes nothing', async () => {
  const clusters = new Clusters(65536)
  await using opened = await over(clusters, stamped(0, 65536))
  enableCopyOnRead(opened.disk.root)
  const into = new Uint8Array(1000)
  await opened.disk.read(5000, into)
  expect(into).toEqual(stamped(5000, 1000))
  expect(io(clusters)).toEqual(['read 4096+4096', 'write 4096+4096 unchanged'])
  await opened.disk.read(5000, into)
  expect(io(clusters)).toEqual(['read 5000+1000'])
  expect(opened.node.tracked.size).toBe(0)
})

test('allocated pieces are read as they are, the others are copied', async () => {
  const clusters = new Clusters(65536)
  clusters.allocate(8192, 4096)
  clusters.store.write(8192, filled(7, 4096))
  await using opened = await over(clusters, stamped(0, 65536))
  const into = filled(0xee, 9000)
  await readNode(opened.node, 5000, into, { copyOnRead: true })
  const expected = stamped(5000, 9000)
  expected.fill(7, 8192 - 5000, 12288 - 5000)
  expect(into).toEqual(expected)
  expect(io(clusters)).toEqual([
    'read 4096+4096',
    'write 4096+4096 unchanged',
    'read 8192+4096',
    'read 12288+4096',
    'write 12288+4096 unchanged',
  ])
})

test('zeroes are kept as zeroes, never unmapped; without zero writes as data', async () => {
  const clusters = new Clusters(8192)
  await using opened = await over(clusters, new Uint8Array(8192))
  enableCopyOnRead(opened.disk.root)
  await opened.disk.read(0, new Uint8Array(512))
  expect(io(clusters)).toEqual(['read 0+4096', 'zero 0+4096 unchanged'])
  const plain = new Clusters(8192)
  plain.zeroes = false
  await using without = await over(plain, new Uint8Array(8192))
  await readNode(without.node, 0, new Uint8Array(512), { copyOnRead: true })
  expect(io(plain)).toEqual(['read 0+4096', 'write 0+4096 unchanged'])
})

test('prefetching copies and leaves the buffer alone; without copy-on-read it does nothing', async () => {
  const clusters = new Clusters(65536)
  await using opened = await over(clusters, stamped(0, 65536))
  const into = filled(0xee, 8192)
  await readNode(opened.node, 0, into, { prefetch: true })
  expect(clusters.take()).toEqual([])
  await readNode(opened.node, 0, into, { copyOnRead: true, prefetch: true })
  expect(into).toEqual(filled(0xee, 8192))
  expect(io(clusters)).toEqual(['read 0+8192', 'write 0+8192 unchanged'])
  await readNode(opened.node, 0, into, { copyOnRead: true, prefetch: true })
  expect(io(clusters)).toEqual([])
})

test('the last cluster ends with the image', async () => {
  const clusters = new Clusters(10240)
  await using opened = await over(clusters, stamped(0, 10240))
  const into = new Uint8Array(2048)
  await readNode(opened.node, 8192, into, { copyOnRead: true })
  expect(into).toEqual(stamped(8192, 2048))
  expect(io(clusters)).toEqual(['read 8192+2048', 'write 8192+2048 unchanged'])
  const beyond = filled(0xee, 4096)
  await readNode(opened.node, 8192, beyond, { copyOnRead: true })
  expect(beyond.subarray(0, 2048)).toEqual(stamped(8192, 2048))
  expect(beyond.subarray(2048)).toEqual(new Uint8Array(2048))
})

test('pieces are no longer than a transfer', async () => {
  const clusters = new Clusters(65536)
  clusters.maxTransfer = 6000
  clusters.requestAlignment = 512
  await using opened = await over(clusters, stamped(0, 65536))
  expect(copyOnReadBytes(opened.node, { start: 100, end: 200 })).toBe(4096)
  expect(copyOnReadBytes(opened.node, { start: 0, end: 65536 })).toBe(5632)
  const into = new Uint8Array(9000)
  await readNode(opened.node, 100, into, { copyOnRead: true })
  expect(into).toEqual(stamped(0, 9104).subarray(100, 9100))
  expect(io(clusters)).toEqual([
    'read 0+5632',
    'write 0+5632 unchanged',
    // The first write allocated all of the second cluster, in this image.
    'read 5632+2560',
    'read 8192+4096',
    'write 8192+4096 unchanged',
  ])
})

// The guest would believe that the data has arrived; the next read would have to ask below again, and might not get it.
test('a failed copy fails the read', async () => {
  const clusters = new Clusters(65536)
  await using opened = await over(clusters, stamped(0, 65536))
  enableCopyOnRead(opened.disk.root)
  clusters.before = (request) => (request.startsWith('write') ? Promise.reject(new Error('no write')) : undefined)
  expect(await failure(opened.disk.read(0, new Uint8Array(512)))).toBe('no write')
  expect(opened.node.tracked.size).toBe(0)
})

test('an error of the status query counts as "not allocated"', async () => {
  const clusters = new Clusters(65536)
  await using opened = await over(clusters, stamped(0, 65536))
  const { BlockError } = await import('../../src/errors.ts')
  clusters.before = (request) =>
    request.startsWith('status') ? Promise.reject(BlockError.fromErrno('EIO')) : undefined
  const into = new Uint8Array(512)
  await readNode(opened.node, 0, into, { copyOnRead: true })
  expect(into).toEqual(stamped(0, 512))
  clusters.before = () => Promise.reject(new TypeError('a bug'))
  expect(await failure(readNode(opened.node, 0, into, { copyOnRead: true }))).toBe('a bug')
})

// Between the copy's read and its write, a guest's newer data would be overwritten with older.
test('a write to the clusters waits for the copy', async () => {
  const clusters = new Clusters(65536)
  await using opened = await over(clusters, stamped(0, 65536))
  enableCopyOnRead(opened.disk.root)
  const hold = gate()
  clusters.before = (request) => (request === 'read 0+4096' ? hold.opened : undefined)
  const reading = opened.disk.read(0, new Uint8Array(512))
  await settle()
  const writing = opened.disk.write(3000, filled(9, 100))
  await settle()
  expect(io(clusters)).toEqual(['read 0+4096'])
  hold.open()
  await Promise.all([reading, writing])
  expect(io(clusters)).toEqual(['write 0+4096 unchanged', 'write 3000+100'])
  const after = new Uint8Array(100)
  await opened.disk.read(3000, after)
  expect(after).toEqual(filled(9, 100))
})

test('random reads and writes under copy-on-read see what a guest wrote, seed 21', async () => {
  const choose = random(21)
  const clusters = new Clusters(65536 - 1536)
  clusters.requestAlignment = 512
  await using opened = await over(clusters, stamped(0, 50000))
  const model = new Uint8Array(65536 - 1536)
  model.set(stamped(0, 50000))
  enableCopyOnRead(opened.disk.root)
  for (let i = 0; i < 400; i++) {
    const offset = choose.below(model.length)
    const bytes = 1 + choose.below(Math.min(9000, model.length - offset))
    if (choose.below(3) === 0) {
      const data = filled(1 + (i % 255), bytes)
      model.set(data, offset)
      await opened.disk.write(offset, data)
    } else {
      const cut = choose.below(bytes)
      const parts = [new Uint8Array(cut), new Uint8Array(bytes - cut)]
      await opened.disk.read(offset, parts)
      expect(parts[0]).toEqual(model.subarray(offset, offset + cut))
      expect(parts[1]).toEqual(model.subarray(offset + cut, offset + bytes))
    }
  }
})

test('it is counted, and ends once per caller', async () => {
  const clusters = new Clusters(65536)
  await using opened = await over(clusters, stamped(0, 65536))
  const ends = [enableCopyOnRead(opened.disk.root), enableCopyOnRead(opened.disk.root)]
  ends[0]!()
  ends[0]!()
  await opened.disk.read(0, new Uint8Array(10))
  expect(io(clusters)).toContain('write 0+4096 unchanged')
  ends[1]!()
  await opened.disk.read(4096, new Uint8Array(10))
  expect(io(clusters)).toEqual(['read 4096+10'])
})

test('a read-only node cannot copy; copies mark no bitmap but need a flush', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const clusters = new Clusters(8192)
  const spec = clustersOver(clusters, memory(new MemoryStore(stamped(0, 8192))))
  await using disk = await graph.open(spec, { readOnly: true })
  expect(() => enableCopyOnRead(disk.root)).toThrow("Can't use copy-on-read on read-only device")
  clusters.take()
  await disk.read(0, new Uint8Array(10), { copyOnRead: true })
  expect(io(clusters)).toEqual(['read 0+10'])
  const writable = new Clusters(8192)
  await using opened = await over(writable, stamped(0, 8192))
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  const generation = opened.node.writeGeneration
  await readNode(opened.node, 0, new Uint8Array(10), { copyOnRead: true })
  expect([bitmap.dirtyBytes, opened.node.writeGeneration > generation]).toEqual([0, true])
})
