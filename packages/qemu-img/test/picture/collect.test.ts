/** Proves that a picture's numbers are the image's: what comes from where, what the file holds, in how many pieces. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { collectPicture } from '../../src/picture/collect.ts'
import type { CellMap } from '../../src/picture/cells.ts'
import { chainOfTwo, KiB, MiB, newGraph, rawDisk } from './images.ts'

function totals(map: CellMap): Record<string, number> {
  return Object.fromEntries(map.kinds.flatMap(({ id }, at) => (map.totals[at]! > 0 ? [[id, map.totals[at]!]] : [])))
}

test('a chain', async () => {
  const { graph, files } = newGraph()
  const picture = await collectPicture(await chainOfTwo(graph, files))
  expect(totals(picture.guest)).toEqual({
    d0: 256 * KiB,
    d1: 768 * KiB,
    compressed: 64 * KiB,
    zero: 128 * KiB,
  })
  expect(picture.guest.empty).toBe(4 * MiB - MiB - 192 * KiB)
  expect(picture.chain.map(({ bytes }) => bytes)).toEqual([448 * KiB, 768 * KiB])
  expect(picture.file === undefined ? {} : totals(picture.file)).toMatchObject({
    header: 64 * KiB,
    'map-root': 64 * KiB,
    data: 256 * KiB,
    'snapshot-data': 64 * KiB,
    // The file ends in that cluster.
    compressed: 512,
  })
  // The cluster that was written again after the snapshot lies behind the others.
  expect(picture.fragmentation).toEqual({ pieces: 2, bytes: 256 * KiB, byLength: [64 * KiB, 192 * KiB, 0, 0, 0] })
  expect(picture.brokenBytes).toBe(0)
  await graph.close()
})

test('a raw disk has no file of its own to show', async () => {
  const { graph, files } = newGraph()
  const picture = await collectPicture(await rawDisk(graph, files, filled(1, MiB)))
  expect(totals(picture.guest)).toEqual({ d0: MiB })
  expect(picture.file).toBeUndefined()
  await graph.close()
})

test('how far it is, is told of the disk and then of the file', async () => {
  const { graph, files } = newGraph()
  const told: number[] = []
  const onProgress = ({ current, total }: { current: number; total: number }): void => {
    expect(total).toBe(2)
    told.push(current)
  }
  await collectPicture(await chainOfTwo(graph, files), { onProgress })
  expect(told.every((current, at) => current >= (told[at - 1] ?? 0))).toBe(true)
  expect(told).toContain(1)
  expect(told.at(-1)).toBe(2)
  await graph.close()
})

test('a file too large to be described is left out, and looking can be stopped', async () => {
  const { graph, files } = newGraph()
  const disk = await chainOfTwo(graph, files)
  expect((await collectPicture(disk, { memoryMax: 1 })).file).toBeUndefined()
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(collectPicture(disk, { signal })).rejects.toThrow('enough')
  await graph.close()
})
