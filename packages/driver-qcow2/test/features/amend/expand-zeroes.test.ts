/** Proves which entries take the place of zero flags, and that damaged ones are reported and not followed. */

import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { ZeroExpansion } from '../../../src/features/amend/expand-zeroes.ts'
import { AmendProgress } from '../../../src/features/amend/progress.ts'
import { KiB, newImage, openDisk } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'

const cluster = 4 * KiB

/** Data, a flag over a cluster, a flag over nothing. */
async function image(backing?: MemoryChild) {
  const store = new MemoryStore(await newImage(64 * KiB, { clusterSize: cluster }))
  const opened = await openDisk(store)
  await opened.disk.write(0, filled(1, 2 * cluster))
  await opened.disk.writeZeroes(cluster, cluster)
  await opened.disk.writeZeroes(2 * cluster, cluster, { mayUnmap: true })
  await opened.close()
  const file = new MemoryChild(store.bytes())
  const on = await openOn(file, backing === undefined ? {} : { backing })
  const table = on.image.l1.offsetOf(0)
  const entries = async (): Promise<string[]> => {
    await on.image.caches.flush()
    const view = new DataView(file.content.buffer, table)
    return [0, 1, 2].map((entry) => view.getBigUint64(entry * 8).toString(16))
  }
  return { ...on, file, table, entries, run: () => new ZeroExpansion(on.image, new AmendProgress({})).run() }
}

const copied = (offset: number): string => (2n ** 63n + BigInt(offset)).toString(16)

test('over nothing', async () => {
  const { entries, run, file } = await image()
  expect(await entries()).toEqual([copied(0x5000), copied(0x6001), '1'])
  await run()
  expect(await entries()).toEqual([copied(0x5000), copied(0x6000), '0'])
  expect(file.content.subarray(0x6000, 0x7000).every((byte) => byte === 0)).toBe(true)
})

test('over a backing file', async () => {
  const { entries, run, file } = await image(new MemoryChild(filled(9, 64 * KiB)))
  await run()
  expect(await entries()).toEqual([copied(0x5000), copied(0x6000), copied(0x7000)])
  expect(file.content.subarray(0x6000, 0x8000).every((byte) => byte === 0)).toBe(true)
})

describe('damage', () => {
  test('a table out of place', async () => {
    const { image: opened, run, lines, ejected } = await image()
    const bytes = opened.l1.bytes.slice()
    bytes[6] = 0x42
    opened.l1.replace(bytes)
    expect(await failureOf(run)).toBe('EIO Input/output error')
    expect(lines[0]).toContain('L2 table offset 0x4200 unaligned (L1 index: 0)')
    expect(ejected()).toBe(true)
  })

  test('a cluster out of place', async () => {
    const { image: opened, run, lines, table } = await image()
    const cache = opened.caches.l2Tables
    const slot = await cache.load(table)
    cache.view.setUint32(cache.start(slot) + 12, 0x6201)
    cache.markDirty(slot)
    expect(await failureOf(run)).toBe('EIO Input/output error')
    expect(lines[0]).toContain('Cluster allocation offset 0x6200 unaligned (L2 offset: 0x4000, L2 index: 0x1)')
  })

  test('another compression', async () => {
    const { image: opened, run, table } = await image()
    opened.header.replace({ ...opened.header.header, compressionType: 1 }, opened.header.extensions)
    await run()
    const cache = opened.caches.l2Tables
    cache.view.setUint32(cache.start(await cache.load(table)), 0x40000000)
    expect(await failureOf(run)).toBe(
      'ENOTSUP Cannot downgrade an image with zstd compression type and existing compressed clusters',
    )
  })
})
