/**
 * Proves by random histories that the reference and ours agree: images that the reference made and partly filled read the
 * same through ours, and after ours has written to them the reference's check is clean and it reads what was written.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import type { BlockBackend } from '@blocklayer/block-core'
import { expectSameBytes, MemoryStore, type Random, random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { KiB, MiB, openDisk, readAll } from './helpers/disk.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from './helpers/reference.ts'

const seeds =
  process.env.SEED === undefined ? Array.from({ length: 24 }, (_, index) => index + 1) : [Number(process.env.SEED)]

interface Shape {
  readonly clusterSize: number
  readonly version: number
  readonly refcountBits: number
  readonly lazy: boolean
  readonly size: number
  readonly withBacking: boolean
  readonly withSnapshot: boolean
  /** Caches so small that tables come and go all the time, in slices. */
  readonly tightCaches: boolean
}

function shapeOf(seed: number, choose: Random): Shape {
  const clusterSize = [512, 1024, 4096, 65536, 262144, 2097152][seed % 6]!
  const version = choose.pick([2, 3, 3])
  const refcountBits = version === 2 ? 16 : [1, 2, 4, 8, 16, 32, 64][seed % 7]!
  return {
    clusterSize,
    version,
    refcountBits,
    lazy: version === 3 && choose.chance(0.3),
    size: clusterSize <= 1024 ? 4 * MiB : 16 * MiB,
    withBacking: choose.chance(0.5),
    withSnapshot: refcountBits > 1 && choose.chance(0.5),
    tightCaches: choose.chance(0.5),
  }
}

/** Makes the image with the reference; gives its guest bytes as the reference reads them. */
function prepare(folder: TemporaryFolder, shape: Shape, choose: Random): Uint8Array {
  const image = folder.file('image')
  const backing = folder.file('backing')
  const { size, clusterSize, refcountBits, version, lazy } = shape
  // Sometimes shorter than the overlay, and never aligned to much.
  qemuImg('create', '-f', 'qcow2', backing, String(size - choose.pick([0, 37 * 512])))
  const fill = Array.from({ length: 6 }, (_, i) => `write -P ${i + 1} ${choose.below(size / 65536 - 3) * 65536} 100k`)
  qemuIo(backing, ...fill)
  const options = `cluster_size=${clusterSize},refcount_bits=${refcountBits},compat=v${version},lazy_refcounts=${lazy}`
  const over = shape.withBacking ? ['-b', backing, '-F', 'qcow2'] : []
  expect(qemuImg('create', '-f', 'qcow2', '-o', options, ...over, image, String(size)).code).toBe(0)
  qemuIo(image, 'write -P 98 3M 200k')
  if (shape.withSnapshot) {
    qemuIo(image, 'write -P 99 0 300k')
    expect(qemuImg('snapshot', '-c', 's', image).code).toBe(0)
  }
  return referenceBytes(folder)
}

function referenceBytes(folder: TemporaryFolder): Uint8Array {
  expect(qemuImg('convert', '-O', 'raw', folder.file('image'), folder.file('raw')).code).toBe(0)
  return new Uint8Array(readFileSync(folder.file('raw')))
}

interface Step {
  readonly offset: number
  readonly bytes: number
  readonly number: number
}

/** One random request, done to the disk and to the model. */
async function play(disk: BlockBackend, model: Uint8Array, choose: Random, clusterSize: number, number: number) {
  const action = choose.below(10)
  let offset = choose.below(disk.length / 512) * 512
  if (choose.chance(0.3)) offset -= offset % clusterSize
  const bytes = Math.min(disk.length - offset, (1 + choose.below(choose.chance(0.1) ? 4000 : 40)) * 512)
  const step = { offset, bytes, number }
  if (action < 5) await write(disk, model, choose, step)
  else if (action < 6) {
    await disk.writeZeroes(offset, bytes, { mayUnmap: choose.chance(0.5) })
    model.fill(0, offset, offset + bytes)
  } else if (action < 7) {
    await disk.discard(offset, bytes)
    // What a discarded range shows depends on version and backing file: whatever it is, it must stay so.
    await disk.read(offset, model.subarray(offset, offset + bytes))
  } else if (action < 9) {
    const into = new Uint8Array(bytes)
    await disk.read(offset, into)
    expectSameBytes(into, model.subarray(offset, offset + bytes), `step ${number}`)
  } else await disk.flush()
}

async function write(disk: BlockBackend, model: Uint8Array, choose: Random, { offset, bytes, number }: Step) {
  const data = new Uint8Array(bytes).map((_, at) => (number * 7 + at) & 0xff)
  model.set(data, offset)
  if (!choose.chance(0.3)) return disk.write(offset, data)
  // Neighbours in flight together.
  const half = Math.floor(bytes / 1024) * 512
  await Promise.all([disk.write(offset, data.subarray(0, half)), disk.write(offset + half, data.subarray(half))])
  return undefined
}

describeWithReference('random histories beside the reference', () => {
  test.each(seeds)('seed %i', async (seed) => {
    using folder = new TemporaryFolder()
    const choose = random(seed)
    const shape = shapeOf(seed, choose)
    const what = `seed ${seed}: ${JSON.stringify(shape)}`
    const model = prepare(folder, shape, choose)
    const store = new MemoryStore(new Uint8Array(readFileSync(folder.file('image'))))
    const backing = shape.withBacking
      ? new MemoryStore(new Uint8Array(readFileSync(folder.file('backing'))))
      : undefined
    const tight = { l2CacheSize: 1024, l2CacheEntrySize: 512, refcountCacheSize: 0 }
    const options = shape.tightCaches ? tight : {}
    const opened = await openDisk(store, { backing, unmap: choose.chance(0.5), qcow2: options })
    expectSameBytes(await readAll(opened.disk), model, `${what}: as the reference left it`)
    for (let step = 0; step < 200; step++) await play(opened.disk, model, choose, shape.clusterSize, step)
    await opened.close()
    writeFileSync(folder.file('image'), store.bytes())
    const checked = qemuImg('check', folder.file('image'))
    expect({ what, ...checked }).toMatchObject({ what, code: 0, err: '' })
    expectSameBytes(referenceBytes(folder), model, `${what}: as the reference reads it`)
    if (shape.withSnapshot) {
      qemuImg('snapshot', '-a', 's', folder.file('image'))
      const restored = referenceBytes(folder)
      expect([what, restored[0], restored[300 * KiB - 1], restored[3 * MiB]]).toEqual([what, 99, 99, 98])
    }
  })
})
