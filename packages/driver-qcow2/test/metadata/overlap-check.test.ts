/** Proves that a write to metadata is refused under the name of the first structure it would hit. */

import { changeDirtyBitmap } from '@blocklayer/block-core'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { type OverlapTemplate, overlapTemplates } from '../../src/metadata/overlap-check.ts'
import { newImage, openDisk } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../helpers/reference.ts'
import { readFileSync } from 'node:fs'

const cluster = 65536

/** An image with one L2 table at cluster 4 and data at cluster 5. */
async function written(template: OverlapTemplate = 'all') {
  const opened = await openOn(new MemoryChild(await newImage(1024 * 1024)), { options: { overlapCheck: template } })
  await opened.image.writer.write(0, new Uint8Array(cluster).fill(1))
  return opened
}

describe.each([
  { at: 0, title: 'qcow2_header' },
  { at: 1, title: 'refcount table' },
  { at: 2, title: 'refcount block' },
  { at: 3, title: 'active L1 table' },
  { at: 4, title: 'active L2 table' },
])('cluster $at', ({ at, title }) => {
  test(`overlaps with ${title}`, async () => {
    const { image, lines, ejected } = await written()
    expect(await failureOf(() => image.overlap.check(at * cluster + 512, 1))).toBe('EIO Input/output error')
    const message = `Preventing invalid write on metadata (overlaps with ${title})`
    expect(lines).toEqual([`qcow2: Marking image as corrupt: ${message}; further corruption events will be suppressed`])
    expect(ejected()).toBe(true)
  })

  test('but not where the check is off', async () => {
    const { image } = await written('none')
    await image.overlap.check(at * cluster, cluster)
  })
})

// The directory counts as metadata as long as the feature bit vouches for it, and every template looks at it.
test.each(['constant', 'cached', 'all'] as const)('the bitmap directory, overlap-check=%s', async (template) => {
  const store = new MemoryStore(await newImage(1024 * 1024))
  const { disk, close } = await openDisk(store)
  await changeDirtyBitmap(disk.root, { type: 'add', name: 'b', persistent: true })
  await close()
  const { image, lines, ejected } = await openOn(new MemoryChild(store.bytes()), {
    options: { overlapCheck: template },
  })
  const { directoryOffset } = image.header.extensions.bitmaps!
  expect(image.overlap.check(directoryOffset - cluster, cluster)).toBeUndefined()
  expect(image.overlap.check(directoryOffset, cluster, 'bitmap-directory')).toBeUndefined()
  expect(await failureOf(() => image.overlap.check(directoryOffset + cluster - 1, 1))).toBe('EIO Input/output error')
  const message = 'Preventing invalid write on metadata (overlaps with bitmap directory)'
  expect(lines).toEqual([`qcow2: Marking image as corrupt: ${message}; further corruption events will be suppressed`])
  expect([ejected(), image.header.isCorrupt]).toEqual([true, true])
})

test('data, nothing, and the own structure may be written', async () => {
  const { image, ejected } = await written()
  expect(image.overlap.check(5 * cluster, cluster)).toBeUndefined()
  expect(image.overlap.check(0, 0)).toBeUndefined()
  expect(image.overlap.check(4 * cluster, 512, 'active-l2')).toBeUndefined()
  expect(ejected()).toBe(false)
})

test('what is checked can be changed', async () => {
  const { image } = await written('all')
  image.overlap.configure(overlapTemplates.constant)
  expect(image.overlap.check(4 * cluster, cluster)).toBeUndefined()
  expect(await failureOf(() => image.overlap.check(3 * cluster, cluster))).toBe('EIO Input/output error')
})

describeWithReference('structures of snapshots', () => {
  test.each([
    { cluster: 6, title: 'inactive L1 table' },
    { cluster: 7, title: 'snapshot table' },
    { cluster: 4, title: 'inactive L2 table' },
  ])('cluster $cluster: $title', async ({ cluster: at, title }) => {
    using folder = new TemporaryFolder()
    const path = folder.file('image')
    qemuImg('create', '-f', 'qcow2', path, '1M')
    qemuIo(path, 'write 0 64k')
    qemuImg('snapshot', '-c', 's', path)
    // The first write after the snapshot moves the active L2 table away from the snapshot's.
    qemuIo(path, 'write 0 64k')
    const { image, lines } = await openOn(new MemoryChild(new Uint8Array(readFileSync(path))), {
      options: { overlapCheck: 'all' },
    })
    expect(await failureOf(() => image.overlap.check(at * cluster, cluster))).toBe('EIO Input/output error')
    expect(lines[0]).toContain(`overlaps with ${title})`)
  })
})
