// Proves where a cluster between two others is needed, that its name stands where neither has anything, and that there is
// none where there is no room.

import { expect, test } from 'vitest'
import { decodeHeader } from '../../src/format/header.ts'
import { decodeBackingFile, decodeExtensions, encodeFirstCluster } from '../../src/format/header-extension.ts'
import { canFollow, clusterBetween, partsLookedAt, planSwitch, usedBytes } from '../../src/metadata/header-switch.ts'
import { newImage } from '../helpers/disk.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function between(clusterSize: number, from: string | undefined, to: string | undefined) {
  const image = await newImage(1024 * 1024, { clusterSize })
  const header = decodeHeader(image)
  const plain = decodeExtensions(header, image.slice(0, clusterSize))
  const named = (name: string | undefined) => ({
    ...plain,
    backingFile: name === undefined ? undefined : bytes(name),
    backingFormat: name === undefined ? undefined : bytes('raw'),
  })
  const old = encodeFirstCluster(header, named(from))
  const wanted = encodeFirstCluster(header, named(to))
  const cluster = clusterBetween({ old, wanted, header, extensions: named(to) })
  const plan = planSwitch({ old, wanted, header, extensions: named(to) })
  return { old, wanted, cluster, plan, end: Math.max(usedBytes(old), usedBytes(wanted)) }
}

test('what fits one sector needs none', async () => {
  expect((await between(4096, 'a', 'b')).plan).toBe('at once')
  expect((await between(512, 'a', 'b')).plan).toBe('at once')
})

test('without the feature names all is in the first sector', async () => {
  const { cluster } = await between(65536, 'a', 'b')
  expect(usedBytes(cluster!)).toBeLessThanOrEqual(512)
  expect(decodeBackingFile(decodeHeader(cluster!), cluster!)).toEqual(bytes('b'))
})

test('a long name stands behind all that is there', async () => {
  const long = 'n'.repeat(900)
  for (const from of [undefined, 'a', 'm'.repeat(900)]) {
    const { cluster, end } = await between(65536, from, long)
    const header = decodeHeader(cluster!)
    expect(header.backingFileOffset).toBeGreaterThanOrEqual(end)
    expect(decodeBackingFile(header, cluster!)).toEqual(bytes(long))
    expect(decodeExtensions(header, cluster!).backingFormat).toEqual(bytes('raw'))
    expect(usedBytes(cluster!.subarray(512, header.backingFileOffset))).toBe(0)
  }
})

test('no room for two long names', async () => {
  expect((await between(2048, 'm'.repeat(900), 'n'.repeat(900))).cluster).toBeUndefined()
})

test('what is planned', async () => {
  const planned = async (...ends: Parameters<typeof between>): Promise<unknown> => (await between(...ends)).plan
  expect(await planned(4096, 'a', 'b')).toBe('at once')
  expect(await planned(65536, 'a', 'a')).toBe('at once')
  expect(await planned(65536, undefined, 'a')).toBe('directly')
  expect(await planned(65536, 'a', undefined)).toBe('directly')
  const { plan, cluster } = await between(65536, 'a', 'b')
  expect(plan).toEqual(cluster)
  expect(await planned(2048, 'm'.repeat(900), 'n'.repeat(900))).toBe('at once')
})

const entry = { count: 1, directorySize: 32, directoryOffset: 65536 }

/** A first cluster of a default image, with or without bitmaps and a data file's name of so many bytes. */
async function clusterWith(extra: { bitmaps?: boolean; backing?: string; dataFile?: number }): Promise<Uint8Array> {
  const image = await newImage(1024 * 1024, { clusterSize: extra.dataFile === undefined ? 65536 : 4096 })
  const header = decodeHeader(image)
  const autoclearFeatures = { high: 0, low: extra.bitmaps === true ? 1 : 0 }
  return encodeFirstCluster(
    { ...header, autoclearFeatures },
    {
      ...decodeExtensions(header, image.slice(0, 2 ** header.clusterBits)),
      bitmaps: extra.bitmaps === true ? entry : undefined,
      backingFile: extra.backing === undefined ? undefined : bytes(extra.backing),
      backingFormat: extra.backing === undefined ? undefined : bytes('qcow2'),
      dataFile: extra.dataFile === undefined ? undefined : new Uint8Array(extra.dataFile).fill(97),
    },
  )
}

test('what is looked at reaches to the end mark, and over the name', async () => {
  expect(partsLookedAt(await clusterWith({}))).toEqual([])
  expect(partsLookedAt(await clusterWith({ bitmaps: true }))).toEqual([{ start: 512, end: 544 }])
  // The end mark is the first thing in the second sector.
  expect(partsLookedAt(await clusterWith({ backing: 'a' }))).toEqual([{ start: 512, end: 529 }])
  expect(partsLookedAt(await clusterWith({ dataFile: 392 }))).toEqual([{ start: 512, end: 520 }])
  expect(partsLookedAt(await clusterWith({ dataFile: 384 }))).toEqual([])
  const { cluster } = await between(65536, 'a', 'n'.repeat(900))
  expect(partsLookedAt(cluster!)).toEqual([{ start: 64512, end: 65412 }])
})

test('zeroes that end the extensions are in the way of what takes their place', async () => {
  const [without, withBitmaps] = [
    await clusterWith({ backing: 'a' }),
    await clusterWith({ bitmaps: true, backing: 'a' }),
  ]
  expect(canFollow(without, withBitmaps)).toBe(false)
  expect(canFollow(withBitmaps, without)).toBe(false)
  const ending = await clusterWith({ dataFile: 392 })
  expect(canFollow(ending, await clusterWith({ dataFile: 392, backing: 'a' }))).toBe(false)
  expect(canFollow(ending, await clusterWith({ dataFile: 384 }))).toBe(true)
  expect(canFollow(ending, ending)).toBe(true)
})
