/**
 * Proves that with `discard-no-unref` a cluster that is discarded keeps its place, its space given up by a hole alone, and
 * that all who look at the image find it clean.
 */

import { createSnapshot } from '@blocklayer/block-core'
import { crashStates, DiskRecorder, filled, MemoryStore } from '@blocklayer/block-core/testing'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { checkStore, KiB, newImage, openDisk, readAll } from './helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from './helpers/reference.ts'

const cluster = 32 * KiB
const size = 8 * cluster
const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }

interface Shape {
  readonly name: string
  readonly options: Qcow2CreateOptions
}

const shapes: readonly Shape[] = [
  { name: 'plain entries', options: {} },
  { name: 'extended entries', options: { extendedL2: true } },
  { name: 'a data file', options: { dataFile: 'data' } },
]

interface Stored {
  readonly store: MemoryStore
  readonly data: MemoryStore | undefined
}

/** A disk whose clusters are all written. */
async function written({ options }: Shape): Promise<Stored> {
  const store = new MemoryStore(await newImage(size, { clusterSize: cluster, ...options }))
  const data = options.dataFile === undefined ? undefined : new MemoryStore(filled(0, size))
  await using opened = await openDisk(store, { data })
  await opened.disk.write(0, filled(7, size))
  return { store, data }
}

const open = ({ store, data }: Stored, more: object = {}) =>
  openDisk(store, { data, unmap: true, qcow2: { discardNoUnref: true, ...more } })

type Opened = Awaited<ReturnType<typeof open>>

const gives = [
  { how: 'a discard', give: ({ disk }: Opened, at: number, bytes: number) => disk.discard(at, bytes) },
  {
    how: 'zeroes that may unmap',
    give: ({ disk }: Opened, at: number, bytes: number) => disk.writeZeroes(at, bytes, { mayUnmap: true }),
  },
]

describe.each(shapes.flatMap((shape) => gives.map((give) => ({ ...give, shape, name: shape.name }))))(
  '$how, $name',
  ({ shape, give }) => {
    const placesOf = async ({ disk }: Opened): Promise<(number | undefined)[]> => {
      const places = []
      for (let at = 0; at < size; at += cluster) places.push((await disk.blockStatus(at, cluster)).hostOffset)
      return places
    }

    test('the entry says zero and keeps its place, the space is given up', async () => {
      const stored = await written(shape)
      await using opened = await open(stored)
      const before = await placesOf(opened)
      await give(opened, cluster, 3 * cluster)
      expect(await opened.disk.blockStatus(cluster, 3 * cluster)).toMatchObject({ zero: true, data: false })
      expect(await placesOf(opened)).toEqual(before)
      const content = filled(7, size).fill(0, cluster, 4 * cluster)
      expect(await readAll(opened.disk)).toEqual(content)
      await opened.disk.flush()
      const held = (stored.data ?? stored.store).bytes()
      expect([before[0]!, before[1]!, before[3]!, before[4]!].map((at) => held[at])).toEqual([7, 0, 0, 7])
      const { length } = stored.store
      // Written again, even in part, it is where it was.
      await opened.disk.write(2 * cluster + 512, filled(9, 512))
      content.fill(9, 2 * cluster + 512, 2 * cluster + 1024)
      expect([await readAll(opened.disk), stored.store.length]).toEqual([content, length])
      expect((await opened.disk.blockStatus(2 * cluster + 512, 512)).hostOffset).toBe(before[2]! + 512)
      // Once more, over zeroes that have a place already.
      await give(opened, 0, size)
      expect(await readAll(opened.disk)).toEqual(filled(0, size))
      await opened.close()
      expect(await checkStore(stored.store, stored.data)).toMatchObject(clean)
    })

    test('where holes are not wanted there are none', async () => {
      const stored = await written(shape)
      await using opened = await open(stored, { passDiscardRequest: false })
      const [first] = await placesOf(opened)
      await give(opened, 0, size)
      await opened.disk.flush()
      expect((stored.data ?? stored.store).bytes()[first!]).toBe(7)
      expect(await readAll(opened.disk)).toEqual(filled(0, size))
    })

    test('whenever the power fails, each sector is the old one or zero', async () => {
      const stored = await written(shape)
      const recorder = new DiskRecorder()
      const image = recorder.disk('image', stored.store.bytes())
      const data = stored.data === undefined ? undefined : recorder.disk('data', stored.data.bytes())
      const opened = await open({ store: image, data })
      await give(opened, cluster, 3 * cluster)
      await opened.disk.write(2 * cluster + 512, filled(9, 512))
      await opened.close()
      let states = 0
      for (const state of crashStates(recorder.journal, { seed: 1, exhaustive: 8, samples: 4 })) {
        states++
        const [cutImage, cutData] = state.disks.map((disk) => new MemoryStore(disk.bytes()))
        expect({ id: state.id, ...(await checkStore(cutImage!, cutData)) }).toMatchObject({ ...clean, leaks: 0 })
        await using cut = await openDisk(cutImage!, { data: cutData, readOnly: true })
        const found = (await readAll(cut.disk)).filter((_, at) => at % 512 === 0)
        found.forEach((value, sector) => {
          const mayChange = sector * 512 >= cluster && sector * 512 < 4 * cluster
          const allowed = !mayChange ? [7] : sector * 512 === 2 * cluster + 512 ? [7, 0, 9] : [7, 0]
          if (!allowed.includes(value)) expect.fail(`${state.id}: sector ${sector} holds ${value}`)
        })
      }
      expect(states).toBeGreaterThan(2)
    })
  },
)

test('what is compressed, or shared with a snapshot, is given up as ever', async () => {
  const store = new MemoryStore(await newImage(size, { clusterSize: cluster }))
  await using opened = await open({ store, data: undefined })
  await opened.disk.writeCompressed(0, filled(1, cluster))
  await opened.disk.write(cluster, filled(2, cluster))
  await createSnapshot(opened.disk, { name: 's' })
  await opened.disk.discard(0, 2 * cluster)
  expect((await opened.disk.blockStatus(0, 2 * cluster)).hostOffset).toBeUndefined()
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
  await using saved = await openDisk(store)
  expect(await readAll(saved.disk)).toEqual(filled(0, size))
})

test('emptying an image gives places up all the same', async () => {
  const stored = await written(shapes[0]!)
  await using opened = await open(stored)
  await opened.disk.makeEmpty()
  expect((await opened.disk.blockStatus(0, size)).hostOffset).toBeUndefined()
  await opened.close()
  expect(await checkStore(stored.store)).toMatchObject(clean)
})

describeWithReference('the reference', () => {
  test.each(shapes)('finds it clean, and zero: $name', async (shape) => {
    using folder = new TemporaryFolder()
    const stored = await written(shape)
    await using opened = await open(stored)
    await opened.disk.discard(cluster, 2 * cluster)
    await opened.disk.writeZeroes(5 * cluster, cluster, { mayUnmap: true })
    const content = await readAll(opened.disk)
    await opened.close()
    writeFileSync(folder.file('i'), stored.store.bytes())
    if (stored.data !== undefined) writeFileSync(folder.file('data'), stored.data.bytes())
    const data = stored.data === undefined ? '' : `,data-file.filename=${folder.file('data')}`
    const image = `driver=qcow2,file.filename=${folder.file('i')}${data}`
    expect(qemuImg('check', '--image-opts', image)).toMatchObject({ code: 0, err: '' })
    writeFileSync(folder.file('raw'), content)
    const compared = qemuImg('compare', '--image-opts', image, `driver=raw,file.filename=${folder.file('raw')}`)
    expect(compared).toMatchObject({ code: 0, err: '' })
  })
})
