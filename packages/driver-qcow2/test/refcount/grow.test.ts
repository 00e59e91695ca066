/** Proves that refcount structures grow, count themselves, and are whole on disk at every instant. */

import { expect, test } from 'vitest'
import { PowerLossStore } from '@blocklayer/block-core/testing'
import { hostOffset } from '../../src/format/geometry.ts'
import { checkStore, KiB, newImage, openDisk } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const options = { clusterSize: 512, refcountBits: 64 }

/** 64 entries of 64 counts: the table is full at 4096 clusters, 2 MiB. This stops a little before. */
async function almostFull() {
  const file = new MemoryChild(await newImage(64 * KiB, options))
  const { image } = await openOn(file)
  while (image.search.cursor < 4085) await image.allocator.allocate(512)
  file.log.length = 0
  return { file, image }
}

test('the events of a new block', async () => {
  const file = new MemoryChild(await newImage(64 * KiB, options))
  const { image } = await openOn(file)
  await image.search.find(60, 2 ** 50)
  file.log.length = 0
  await image.allocator.allocate(512)
  const steps = file.log.map(({ kind, event }) => event ?? kind[0])
  expect(steps.join(' ')).toBe(
    'cluster_alloc refblock_alloc f refblock_alloc_write refblock_update_part w f refblock_alloc_hookup w f ' +
      'refblock_alloc refblock_load',
  )
})

test('a table that is full moves to a larger one behind everything else', async () => {
  const { file, image } = await almostFull()
  const before = image.header.header.refcountTableOffset
  const freed: number[] = []
  for (let count = 0; count < 20; count++) freed.push(await image.allocator.allocate(512))
  const { refcountTableOffset, refcountTableClusters } = image.header.header
  expect(refcountTableOffset).toBeGreaterThan(before)
  expect([refcountTableClusters, image.refcountTable.entryCount]).toEqual([2, 128])
  const steps = file.log.map(({ kind, event }) => event ?? kind[0]).join(' ')
  // Blocks that were changed before go along with the new ones.
  const stores = '( refblock_update_part w)+ f'
  expect(steps).toMatch(
    new RegExp(
      `refblock_alloc_write${stores} reftable_grow refblock_alloc_write_blocks${stores} refblock_alloc_write_table w f ` +
        'refblock_alloc_switch_table w f cluster_free refblock_alloc refblock_load',
    ),
  )
  // The old table's cluster was free and has gone to the next who asked.
  expect(freed).toContain(before)
  for (let cluster = 0; cluster < refcountTableClusters; cluster++) {
    expect(await image.refcounts.get(refcountTableOffset / 512 + cluster)).toBe(1)
  }
})

test.each([
  { event: 'refblock_alloc_write', kind: 'write' },
  { event: 'refblock_alloc_write_blocks', kind: 'write' },
  { event: 'refblock_alloc_write_table', kind: 'write' },
  { event: 'refblock_alloc_switch_table', kind: 'write' },
  { event: 'refblock_alloc_switch_table', kind: 'flush' },
] as const)(
  'after a failed $kind behind $event the structures in force are right',
  async ({ event, kind: failing }) => {
    const { file, image } = await almostFull()
    let failed = 0
    file.fail = ({ kind }) => {
      const announced = file.log.some((request) => request.event === event)
      return kind === failing && announced && failed++ === 0 ? 'EIO' : undefined
    }
    const failures: string[] = []
    for (let count = 0; count < 100 && failures.length === 0; count++) {
      await image.allocator.allocate(512).catch((error: Error) => failures.push(error.message))
    }
    expect(failures).toEqual(['Input/output error'])
    for (let count = 0; count < 100; count++) await image.allocator.allocate(512)
    await image.caches.flush()
    const again = await openOn(file, { readOnly: true })
    for (let cluster = 0; cluster < 4400; cluster++) {
      expect(await again.image.refcounts.get(cluster)).toBe(await image.refcounts.get(cluster))
    }
  },
)

test.each(['write', 'flush'] as const)('after a failed %s of the hook-up the table is right', async (failing) => {
  const file = new MemoryChild(await newImage(64 * KiB, options))
  const { image } = await openOn(file)
  await image.search.find(60, 2 ** 50)
  let failed = 0
  file.fail = ({ kind }) => {
    const announced = file.log.some((request) => request.event === 'refblock_alloc_hookup')
    return kind === failing && announced && failed++ === 0 ? 'EIO' : undefined
  }
  expect(await failureOf(() => image.allocator.allocate(512))).toBe('EIO Input/output error')
  for (let count = 0; count < 100; count++) await image.allocator.allocate(512)
  await image.caches.flush()
  const again = await openOn(file, { readOnly: true })
  for (let cluster = 0; cluster < 300; cluster++) {
    expect(await again.image.refcounts.get(cluster)).toBe(await image.refcounts.get(cluster))
  }
})

test('a cut at any moment of the growth leaves a sound image', async () => {
  const store = new PowerLossStore(await newImage(4096 * KiB, options))
  const opened = await openDisk(store)
  await opened.disk.write(0, new Uint8Array(1980 * KiB).fill(1))
  await opened.disk.flush()
  await opened.close()
  const grown = new PowerLossStore(store.bytes())
  const second = await openDisk(grown)
  await second.disk.write(1980 * KiB, new Uint8Array(64 * KiB).fill(2))
  await second.close()
  let count = 0
  for (const { name, store: cut } of grown.crashStates({ exhaustive: 4, samples: 6 })) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    count++
  }
  expect(count).toBeGreaterThan(20)
})

test('cluster 0 is never handed out as a block', async () => {
  const file = new MemoryChild(await newImage(64 * KiB, options))
  const { image, lines } = await openOn(file)
  image.refcountTable.replace(new Uint8Array(512))
  expect(await failureOf(() => image.allocator.allocateAt(hostOffset(512 * 70), 1))).toBe('EIO Input/output error')
  expect(lines[0]).toContain('Preventing invalid allocation of refcount block at offset 0')
})
