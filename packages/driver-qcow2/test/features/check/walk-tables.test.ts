/** Entries of L1 and L2 tables that cannot be right are reported and counted; what can be mended there is mended. */

import { createSnapshot } from '@blocklayer/block-core'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { checkImage } from '../../../src/features/check/check.ts'
import { checked, filledImage, problems } from '../../helpers/damage.ts'
import { MiB, newImage, openDisk } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { openOn } from '../../helpers/open-on.ts'
import { addSnapshot } from '../../helpers/snapshots.ts'

test('a sound image: everything is counted once', async () => {
  const { lines, result } = await checked(await filledImage())
  expect(lines).toEqual([])
  expect(result).toMatchObject({
    corruptions: 0,
    leaks: 0,
    imageEndOffset: 69 * 1024,
    clusters: { total: 64, allocated: 64, fragmented: 0, compressed: 0 },
  })
})

test('clusters out of order are fragmented, first clusters of a table never', async () => {
  const image = await filledImage()
  const [first, second] = [image.get(image.l2(10)), image.get(image.l2(20))]
  image.set(image.l2(10), second).set(image.l2(20), first)
  const { result } = await checked(image)
  expect(result?.clusters.fragmented).toBe(4)
})

describe('L1 entries', () => {
  test('with reserved bits', async () => {
    const image = await filledImage()
    image.set(image.l1(), (old) => old | 1n)
    const { lines, result } = await checked(image, 'all')
    expect(lines).toEqual(['ERROR found L1 entry with reserved bits set: 8000000000001001'])
    expect(problems(result)).toEqual({ corruptions: 1 })
  })

  test('that point between two clusters', async () => {
    const image = await filledImage()
    image.set(image.l1(), (old) => old | 0x200n)
    const { lines } = await checked(image)
    expect(lines[0]).toBe('ERROR l2_offset=1200: Table is not cluster aligned; L1 entry corrupted')
  })
})

describe('L2 entries', () => {
  test('with reserved bits', async () => {
    const image = await filledImage()
    image.set(image.l2(1), (old) => old | 2n)
    const { lines, result } = await checked(image, 'all')
    expect(lines).toEqual(['ERROR found l2 entry with reserved bits set: 8000000000001802'])
    expect(problems(result)).toEqual({ corruptions: 1 })
  })

  test('behind the end of the file', async () => {
    const image = await filledImage()
    image.set(image.l2(1), 0x8000000000100000n)
    const { lines, result } = await checked(image)
    const what = 'counting reference for region exceeding the end of the file by one cluster or more'
    expect(lines[0]).toBe(`ERROR: ${what}: offset 0x100000 size 0x400`)
    expect(lines[1]).toBe('Leaked cluster 6 refcount=1 reference=0')
    expect(result).toMatchObject({ corruptions: 2, leaks: 1 })
  })

  test('of data between two clusters are never mended', async () => {
    const image = await filledImage()
    image.set(image.l2(1), (old) => old | 0x200n)
    const { lines, after } = await checked(image, 'all')
    expect(lines[0]).toBe('ERROR offset=1a00: Data cluster is not properly aligned; L2 entry corrupted.')
    expect(after.get(after.l2(1)) & 0x7fffffffffffffffn).toBe(0x1a00n)
  })

  test('of zeroes between two clusters become plain zeroes', async () => {
    const image = await filledImage()
    image.set(image.l2(1), (old) => old | 0x201n)
    const broken = 'offset=1a00: Preallocated cluster is not properly aligned; L2 entry corrupted.'
    expect((await checked(image)).lines[0]).toBe(`ERROR ${broken}`)
    const { lines, result, after } = await checked(image, 'all')
    expect(lines).toEqual([
      `Repairing ${broken}`,
      'Leaked cluster 6 refcount=1 reference=0',
      'Repairing cluster 6 refcount=1 reference=0',
    ])
    expect(problems(result)).toEqual({ corruptionsFixed: 1, leaksFixed: 1 })
    expect(after.get(after.l2(1))).toBe(1n)
  })

  test('of compressed data must not be marked as copied', async () => {
    const image = await filledImage()
    image.set(image.l2(1), 0xc000000000001800n)
    const { lines, result } = await checked(image, 'all')
    expect(lines).toEqual(['ERROR: coffset=0x1800: copied flag must never be set for compressed clusters'])
    expect(result).toMatchObject({ corruptions: 1, clusters: { compressed: 1, fragmented: 2 } })
  })

  test('a repair of an entry that cannot be written ends the check', async () => {
    const image = await filledImage()
    image.set(image.l2(1), (old) => old | 0x201n)
    const { failure } = await checked(image, 'all', (file) => {
      file.fail = ({ kind }) => (kind === 'write' ? 'ENOSPC' : undefined)
    })
    expect(failure).toBe('ENOSPC No space left on device')
  })
})

describe('tables that cannot be read', () => {
  test.each([
    [3, 'ERROR: I/O error in check_refcounts_l1'],
    [4, 'ERROR: I/O error in check_refcounts_l2'],
  ])('cluster %i', async (cluster, message) => {
    const { lines, failure } = await checked(new MemoryChild((await filledImage()).bytes), 'none', (file) => {
      file.fail = ({ kind, offset }) => (kind === 'read' && offset === cluster * 1024 ? 'EIO' : undefined)
    })
    expect(lines).toEqual([message])
    expect(failure).toBe('EIO Input/output error')
  })
})

describe('L1 tables of snapshots', () => {
  test('are walked', async () => {
    const { lines, result } = await checked(addSnapshot(await filledImage(), {}))
    // The snapshot shares all 65 clusters, whose counts say that nobody shares them.
    expect(lines.filter((line) => /^ERROR cluster \d+ refcount=1 reference=2$/.test(line))).toHaveLength(65)
    expect(result).toMatchObject({ corruptions: 65, clusters: { allocated: 64 } })
  })

  test.each([
    [{ l1TableOffset: 0x11600 }, 'l1_offset=0x11600: L1 table is not cluster aligned'],
    [{ l1Size: 0x400001 }, 'l1_size=0x400001: L1 table is too large'],
  ])('%o', async (place, message) => {
    const { lines } = await checked(addSnapshot(await filledImage(), place))
    expect(lines[0]).toBe(`ERROR snapshot 1 (s1) ${message}; snapshot table entry corrupted`)
  })
})

describe('a check', () => {
  const open = async () => {
    const { image } = await openOn(new MemoryChild((await filledImage()).bytes), { check: true, readOnly: true })
    return image
  }

  test('can be stopped', async () => {
    const reason = new Error('enough')
    await expect(checkImage(await open(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('says how far it is', async () => {
    const seen: string[] = []
    await checkImage(await open(), { onProgress: ({ current, total }) => seen.push(`${current}/${total}`) })
    expect(seen).toEqual(['1/1'])
  })

  test('tells of several tables as of one', async () => {
    const store = new MemoryStore(await newImage(1024 * MiB))
    const { disk, close } = await openDisk(store)
    await disk.write(0, new Uint8Array(512))
    await createSnapshot(disk, { name: 'first' })
    await disk.write(600 * MiB, new Uint8Array(512))
    await createSnapshot(disk, { name: 'second' })
    const seen: string[] = []
    await disk.check({ onProgress: ({ current, total }) => seen.push(`${current}/${total}`) })
    expect(seen).toEqual(['1/6', '2/6', '3/6', '5/6', '6/6'])
    await close()
  })
})
