/** Proves that disks grow, and hide a longer backing file before their size says so. */

import { filled, PowerLossStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { truncateImage } from '../../../src/features/resize/grow.ts'
import { checkStore, KiB, MiB, newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'

const plain = { preallocation: 'off', exact: true, zeroNewArea: false } as const

async function open(options = {}, backing?: MemoryChild, size = MiB) {
  const file = new MemoryChild(await newImage(size, options))
  return { file, ...(await openOn(file, backing === undefined ? {} : { backing })) }
}

describe('refusals', () => {
  test.each([
    { length: MiB + 1, options: plain, message: 'EINVAL The new size must be a multiple of 512' },
    { length: 2 ** 52, options: plain, message: 'EFBIG Failed to grow the L1 table: File too large' },
  ])('$message', async ({ length, options, message }) => {
    const { image } = await open()
    expect(await failureOf(() => truncateImage(image, length, options))).toBe(message)
    expect(image.header.header.size).toBe(MiB)
  })

  test('a version 2 image with snapshots', async () => {
    const { image } = await open({ compat: '0.10' })
    image.header.replace({ ...image.header.header, nbSnapshots: 1 }, image.header.extensions)
    expect(await failureOf(() => truncateImage(image, 2 * MiB, plain))).toBe(
      "ENOTSUP Can't resize a v2 image which has snapshots",
    )
  })

  test('a version 2 image over a longer backing file', async () => {
    const { image } = await open({ compat: '0.10' }, new MemoryChild(filled(7, 2 * MiB)))
    expect(await failureOf(() => truncateImage(image, 2 * MiB, { ...plain, zeroNewArea: true }))).toBe(
      'ENOTSUP Failed to zero out new clusters: Operation not supported',
    )
  })
})

test('the L1 table grows with the disk', async () => {
  const { image } = await open()
  await truncateImage(image, 3 * 512 * MiB, plain)
  expect(image.header.header).toMatchObject({ size: 3 * 512 * MiB, l1Size: 3 })
  await image.writer.write(3 * 512 * MiB - 512, filled(1, 512))
  // The cache grows with the tables: 8 bytes for each of 24576 clusters.
  expect([image.caches.l2Tables.entryCount, image.caches.l2Tables.entrySize]).toEqual([3, 65536])
})

test.each([
  { at: 'write', message: 'EIO Failed to update the image size: Input/output error' },
  { at: 'zero', message: 'EIO Failed to zero out the new area: Input/output error' },
])('a failure of the $at', async ({ at, message }) => {
  const { file, image } = await open({}, new MemoryChild(filled(7, 2 * MiB)), MiB + 512)
  await image.l2Tables.loadForUpdate(0 as never)
  file.fail = ({ kind, offset }) => {
    if (at === 'write') return kind === 'write' && offset === 24 ? 'EIO' : undefined
    return kind === 'write' && offset >= 5 * 65536 ? 'EIO' : undefined
  }
  expect(await failureOf(() => truncateImage(image, 2 * MiB, { ...plain, zeroNewArea: true }))).toBe(message)
})

test('the backing file does not show in the new area, whenever the power fails', async () => {
  const backing = new PowerLossStore(await newImage(256 * KiB))
  await using below = await openDisk(backing)
  await below.disk.write(0, filled(7, 256 * KiB))
  await below.close()
  const store = new PowerLossStore(await newImage(64 * KiB - 512))
  const opened = await openDisk(store, { backing })
  // The core asks for zeroes by itself: the backing file is longer.
  await opened.disk.truncate(256 * KiB)
  await opened.close()
  const sizes = new Set<number>()
  for (const { name, store: cut } of store.crashStates()) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    await using after = await openDisk(cut, { readOnly: true, backing })
    const content = await readAll(after.disk)
    sizes.add(content.length)
    expect([name, content[0], content.subarray(64 * KiB - 512).some((byte) => byte !== 0)]).toEqual([name, 7, false])
  }
  expect([...sizes].sort((a, b) => a - b)).toEqual([64 * KiB - 512, 256 * KiB])
})

// The entries of a write under way lie in one slice of the L2 cache: it must not be cut up until they are linked.
test('a write under way is linked as it was planned', async () => {
  const cluster = 64 * KiB
  const file = new MemoryChild(await newImage(512 * MiB))
  const { image } = await openOn(file, { options: { l2CacheSize: cluster } })
  await image.writer.write(0, filled(1, cluster))
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const write = file.write.bind(file)
  file.write = async (offset, data) => {
    if (data.length === 2 * cluster) await gate
    await write(offset, data)
  }
  const written = 511 * cluster
  const writing = image.writer.write(written, filled(2, 2 * cluster))
  await truncateImage(image, 1024 * MiB, plain)
  open()
  await writing
  const found = new Uint8Array(2 * cluster)
  await image.reader.read(written, found)
  expect([found[0], found[cluster], found[2 * cluster - 1]]).toEqual([2, 2, 2])
  // Without a write under way the slices become small: the cache no longer holds all tables.
  expect([image.caches.l2Tables.entryCount, image.caches.l2Tables.entrySize]).toEqual([2, cluster])
  await truncateImage(image, 1536 * MiB, plain)
  expect([image.caches.l2Tables.entryCount, image.caches.l2Tables.entrySize]).toEqual([16, 4096])
})
