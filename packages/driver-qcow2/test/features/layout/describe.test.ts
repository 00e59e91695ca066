/**
 * Proves that a layout tells every cluster that is taken once and says what for: what it adds up to is what a check
 * counts, on images of both makers and all shapes; and that damage shows as damage and nothing is read twice for it.
 */

import { createSnapshot, layoutOf, type LayoutKind, type LayoutRun } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { type Base, bases, makeBase } from '../../damage/bases.ts'
import { Victim } from '../../damage/image.ts'
import { KiB, MiB, newImage, openDisk } from '../../helpers/disk.ts'
import { TemporaryFolder } from '../../helpers/reference.ts'

async function runsOf(bytes: Uint8Array, options = {}): Promise<LayoutRun[]> {
  await using opened = await openDisk(new MemoryStore(bytes), { readOnly: true })
  const runs: LayoutRun[] = []
  for await (const run of layoutOf(opened.disk.root)!.describe(options)) runs.push(run)
  return runs
}

function bytesByKind(runs: readonly LayoutRun[]): Partial<Record<LayoutKind, number>> {
  const sums: Partial<Record<LayoutKind, number>> = {}
  for (const { kind, bytes } of runs) sums[kind] = (sums[kind] ?? 0) + bytes
  return sums
}

const sound: Base = {
  name: 'sound',
  maker: 'ours',
  compat: '1.1',
  clusterSize: 64 * KiB,
  refcountBits: 16,
  with: 'snapshots',
}

test.each(bases)('$name: every cluster of the file once, and nothing left or in two places', async (base) => {
  using folder = new TemporaryFolder()
  const image = await makeBase(base, folder)
  const runs = await runsOf(image)
  const taken = new Set<number>()
  for (const { offset, bytes } of runs) {
    for (let at = offset; at < offset + bytes; at += base.clusterSize) {
      expect(taken.has(at), `${at} is told twice`).toBe(false)
      taken.add(at)
    }
  }
  const kinds = new Set(runs.map(({ kind }) => kind))
  for (const kind of ['header', 'map-root', 'map', 'counts-root', 'counts', 'data', 'compressed'] as const) {
    expect([...kinds]).toContain(kind)
  }
  expect([...kinds]).toContain(base.with === 'snapshots' ? 'snapshot' : 'bitmap')
  for (const kind of ['leaked', 'overlap', 'broken'] as const) expect([...kinds]).not.toContain(kind)
})

test('a new image is its tables, in their order', async () => {
  expect(await runsOf(await newImage(MiB))).toEqual([
    { kind: 'header', offset: 0, bytes: 65536 },
    { kind: 'counts-root', offset: 65536, bytes: 65536 },
    { kind: 'counts', offset: 131072, bytes: 65536 },
    { kind: 'map-root', offset: 196608, bytes: 65536 },
  ])
})

test('clusters that only a snapshot shows are told apart from those that the disk has', async () => {
  const store = new MemoryStore(await newImage(MiB))
  const { disk, close } = await openDisk(store)
  await disk.write(0, filled(1, 256 * KiB))
  await createSnapshot(disk, { name: 'before' })
  await disk.write(0, filled(2, 64 * KiB))
  await close()
  const sums = bytesByKind(await runsOf(store.bytes()))
  expect(sums.data).toBe(256 * KiB)
  expect(sums['snapshot-data']).toBe(64 * KiB)
})

test('compressed clusters say what they hold, several in one cluster of the file', async () => {
  const store = new MemoryStore(await newImage(MiB))
  const { disk, close } = await openDisk(store)
  for (let cluster = 0; cluster < 8; cluster++)
    await disk.writeCompressed(cluster * 64 * KiB, filled(cluster, 64 * KiB))
  await close()
  const compressed = (await runsOf(store.bytes())).filter(({ kind }) => kind === 'compressed')
  expect(compressed.map(({ bytes, guestBytes }) => [bytes, guestBytes])).toEqual([[64 * KiB, 512 * KiB]])
})

test('what a data file holds is told as its own', async () => {
  const store = new MemoryStore(await newImage(MiB, { dataFile: 'data.raw' }))
  const data = new MemoryStore(MiB)
  await using opened = await openDisk(store, { data })
  await opened.disk.write(64 * KiB, filled(1, 64 * KiB))
  const runs: LayoutRun[] = []
  for await (const run of layoutOf(opened.disk.root)!.describe()) runs.push(run)
  const own = { kind: 'data', offset: 64 * KiB, bytes: 64 * KiB, guestBytes: 64 * KiB, child: 'data-file' }
  expect(runs.filter(({ child }) => child !== undefined)).toEqual([own])
})

describe('damage', () => {
  async function damaged(change: (image: Victim) => void): Promise<Partial<Record<LayoutKind, number>>> {
    using folder = new TemporaryFolder()
    const image = new Victim(await makeBase(sound, folder))
    change(image)
    return bytesByKind(await runsOf(image.bytes))
  }

  test('a cluster that is counted and that nothing names is leaked', async () => {
    const sums = await damaged((image) => void image.set(image.entry('data', 7), 0n))
    expect(sums.leaked).toBe(64 * KiB)
  })

  test('data on top of a table is an overlap', async () => {
    const sums = await damaged((image) => void image.redirect(image.entry('data'), BigInt(image.header.l1TableOffset)))
    expect(sums.overlap).toBe(64 * KiB)
  })

  test('a table that is named twice is an overlap, and is read once', async () => {
    const sums = await damaged((image) => {
      image.set32(36, 4)
      for (const entry of [1, 2, 3]) image.set(image.l1(entry), image.get(image.l1()))
    })
    expect(sums.overlap).toBe(3 * 64 * KiB)
    expect(sums.map).toBe(64 * KiB)
  })

  test('places behind the file, or between two clusters, are broken', async () => {
    const sums = await damaged((image) => {
      image.redirect(image.entry('data'), image.end + image.clusters(5))
      image.redirect(image.entry('data', 1), 512n)
      image.redirect(image.l1(1), image.end + image.clusters(9))
    })
    expect(sums.broken).toBe(2 * 64 * KiB)
  })
})

test('a description that would take more memory than allowed is refused before it begins', async () => {
  const error = await runsOf(await newImage(MiB), { memoryMax: 2 }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'ENOMEM' })
  expect(String(error)).toContain('Describing the layout of this image takes 3 bytes of memory')
})

test('a description can be stopped, and tells how far it is', async () => {
  using folder = new TemporaryFolder()
  const image = await makeBase(sound, folder)
  const stopped = runsOf(image, { signal: AbortSignal.abort(new Error('enough')) })
  await expect(stopped).rejects.toThrow('enough')
  const seen: number[] = []
  await runsOf(image, { onProgress: ({ current }: { current: number }) => void seen.push(current) })
  expect(seen.length).toBeGreaterThan(0)
})
