// Proves that a target is judged before anything is made, by each rule in its turn, and that a creation that fails names
// the target.

import type { BlockGraph } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import {
  type ConvertTarget,
  createTarget,
  planTarget,
  refuseCompression,
  type TargetNeeds,
  type TargetPlan,
} from '../../src/convert/target.ts'
import { memoryImages, mib } from '../support/images.ts'

const needs: TargetNeeds = { bytes: mib, sourceCount: 1, compress: false }
const qcow2 = { filename: 'mem:new', format: 'qcow2' }

function plan(graph: BlockGraph, target: ConvertTarget, more: Partial<TargetNeeds> = {}): Promise<TargetPlan> {
  return planTarget(graph, target, { ...needs, ...more })
}

test('the sources decide the size', async () => {
  await using images = memoryImages()
  const { creation } = await plan(images.graph, { ...qcow2, options: { size: 1 } })
  expect(creation?.options).toContainEqual({ name: 'size', value: String(mib) })
  expect(images.files.stores.size).toBe(0)
})

test('a backing file may stand among the options', async () => {
  await using images = memoryImages()
  const options = { backing_file: 'base', backing_fmt: 'raw' }
  const { backing } = await plan(images.graph, { ...qcow2, options })
  expect(backing).toEqual({ filename: 'base', format: 'raw' })
  // What is given beside them comes first.
  const given = await plan(images.graph, { ...qcow2, options, backing: { filename: 'other' } })
  expect(given.backing).toEqual({ filename: 'other', format: 'raw' })
})

test('a target that is there is not made', async () => {
  await using images = memoryImages()
  const disk = (): never => {
    throw new Error('too early')
  }
  expect(await plan(images.graph, { disk })).toEqual({ creation: undefined, backing: undefined })
})

describe('refused', () => {
  const backing = { filename: 'base', format: 'raw' }
  const disk = (): never => {
    throw new Error('too early')
  }
  test.each<[string, ConvertTarget, Partial<TargetNeeds>, string]>([
    ['an unknown format', { filename: 'mem:new', format: 'vmdk' }, {}, "Unknown file format 'vmdk'"],
    [
      'zeroes over a backing file',
      { disk, isZero: true, backing },
      {},
      'Cannot use --target-is-zero when the destination image has a backing file',
    ],
    [
      'several sources over a backing file',
      { ...qcow2, backing },
      { sourceCount: 2 },
      'Having a backing file for the target makes no sense when concatenating multiple input images',
    ],
    [
      'a backing file of unknown format',
      { ...qcow2, backing: { filename: 'base' } },
      {},
      'Use of backing file requires explicit backing format',
    ],
    [
      'compression where the format has none',
      { filename: 'mem:new', format: 'raw' },
      { compress: true },
      'Compression not supported for this file format',
    ],
    [
      'compression of what is preallocated',
      { ...qcow2, options: { preallocation: 'metadata' } },
      { compress: true },
      'Compression and preallocation not supported at the same time',
    ],
  ])('%s', async (_, target, more, message) => {
    await using images = memoryImages()
    await expect(plan(images.graph, target, more)).rejects.toMatchObject({ name: 'BlockError', message })
    expect(images.files.stores.size).toBe(0)
  })

  test('compression of a node without it', () => {
    expect(refuseCompression).toThrow('Compression not supported for this file format')
  })
})

test('a creation that fails names the target', async () => {
  await using images = memoryImages()
  const { creation } = await plan(images.graph, { ...qcow2, options: { cluster_size: 3000 } })
  await expect(createTarget(creation!)).rejects.toMatchObject({
    code: 'EINVAL',
    message: expect.stringMatching(/^mem:new: error while converting qcow2: Cluster size must be a power of two/),
  })
})
