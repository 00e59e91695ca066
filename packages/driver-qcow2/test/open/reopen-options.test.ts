/** Proves that new runtime options are judged before anything changes, and take effect, also on the way back. */

import { nodeSpec, type OpenFlags } from '@blocklayer/block-core/driver'
import { createBlockGraph, type OptionScalar } from '@blocklayer/block-core'
import { filled, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { qcow2, qcow2Driver } from '../../src/index.ts'
import { prepareReopen } from '../../src/open/reopen-options.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const MiB = 1024 * 1024
const flags: OpenFlags = {
  check: false,
  noIo: false,
  unmap: false,
  direct: false,
  noFlush: false,
  forceShare: false,
  probed: false,
  allowReadWrite: true,
  autoReadOnly: false,
}

test('nothing shows before the commit, and everything after', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  await image.writer.write(0, filled(1, 65536))
  const options = { lazyRefcounts: true, l2CacheSize: 8192, l2CacheEntrySize: 4096, overlapCheck: 'none' }
  const before = image.caches.l2Tables.entrySize
  const change = { readOnly: false, options, flags: { ...flags, unmap: true } }
  await (await prepareReopen(image, change)).abort()
  expect([image.state.useLazyRefcounts, image.caches.l2Tables.entrySize]).toEqual([false, before])
  await (await prepareReopen(image, change)).commit()
  expect([image.state.useLazyRefcounts, image.caches.l2Tables.entrySize, image.options]).toEqual([true, 4096, options])
  const into = new Uint8Array(65536)
  await image.writer.write(65536, filled(2, 65536))
  await image.reader.read(0, into)
  expect(into).toEqual(filled(1, 65536))
})

test('places are kept as the options say', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  await image.writer.write(0, filled(1, 65536))
  const status = () => image.status.blockStatus(0, 65536)
  const { hostOffset } = await status()
  const keep = async (discardNoUnref: boolean) => {
    await (await prepareReopen(image, { readOnly: false, options: { discardNoUnref }, flags })).commit()
    await image.zeroWriter.discard(0, 65536)
  }
  await keep(true)
  expect(await status()).toMatchObject({ zero: true, hostOffset })
  await keep(false)
  expect(await status()).not.toHaveProperty('hostOffset')
})

// The dirty mark says that refcounts are not kept up to date; from now on they are.
test('without lazy refcounts the image is clean', async () => {
  const file = new MemoryChild(await newImage(MiB, { lazyRefcounts: true }))
  const { image } = await openOn(file)
  await image.writer.write(0, filled(1, 65536))
  expect(image.header.isDirty).toBe(true)
  const off = { readOnly: false, options: { lazyRefcounts: false }, flags }
  file.fail = ({ kind, offset }) => (kind === 'write' && offset === 0 ? 'EIO' : undefined)
  expect(await failureOf(() => prepareReopen(image, off))).toBe(
    'EIO Failed to disable lazy refcounts: Input/output error',
  )
  file.fail = () => undefined
  await (await prepareReopen(image, off)).commit()
  expect([image.header.isDirty, image.state.useLazyRefcounts]).toEqual([false, false])
})

test('options that contradict each other change nothing', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  const refused = (options: object) => failureOf(() => prepareReopen(image, { readOnly: true, options, flags }))
  expect(await refused({ cacheSize: 1, l2CacheSize: 2, refcountCacheSize: 3 })).toBe(
    'EINVAL cache-size, l2-cache-size and refcount-cache-size may not be set at the same time',
  )
  expect(await refused({ encryptFormat: 'luks' })).toBe(
    "EINVAL No encryption in image header, but options specified format 'luks'",
  )
  expect(image.state.readOnly).toBe(false)
})

test('read-only when it is prepared, writable again where others cannot follow', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  await image.writer.write(0, filled(1, 65536))
  const change = await prepareReopen(image, { readOnly: true, options: undefined, flags })
  expect([image.state.readOnly, image.caches.l2Tables.isDirty]).toEqual([true, false])
  await change.abort()
  expect(image.state.readOnly).toBe(false)
  await (await prepareReopen(image, { readOnly: true, options: undefined, flags })).commit()
  const back = await prepareReopen(image, { readOnly: false, options: undefined, flags })
  // Its file does not take writes before that is committed, too.
  expect(image.state.readOnly).toBe(true)
  await back.commit()
  await image.writer.write(0, filled(2, 65536))
})

test('through a graph: options that are not given again go back to their defaults', async () => {
  const store = new MemoryStore(await newImage(MiB))
  await using graph = createBlockGraph({ drivers: [qcow2Driver], implicitOpen: 'deny' })
  const node = await graph.addNode({ ...qcow2({ file: memory(store), lazyRefcounts: true }), nodeName: 'disk' })
  const disk = graph.backend(node, { permissions: { taken: 3, shared: 15 } })
  await disk.write(0, filled(1, 65536))
  const reopen = (options: Record<string, OptionScalar>) =>
    graph.reopen([{ node: 'disk', options: new Map(Object.entries(options)) }])
  await reopen({ 'l2-cache-size': '64k', 'overlap-check': 'all', 'pass-discard-request': true })
  await reopen({})
  await disk.write(65536, filled(2, 65536))
  expect(await failureOf(() => reopen({ 'cluster-size': 1 }))).toBe("EINVAL Cannot change the option 'cluster-size'")
  await disk.close()
  await reopen({ 'read-only': true })
  await reopen({})
  expect(node.readOnly).toBe(false)
  await graph.removeNode('disk')
  const again = await graph.open(nodeSpec(qcow2Driver, { file: memory(store) }))
  expect(await again.check()).toMatchObject({ corruptions: 0, leaks: 0 })
})
