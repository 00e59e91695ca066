// Walks along chains.
import { beforeEach, expect, test } from 'vitest'
import {
  backingImage,
  backingOverridden,
  chainBottom,
  chainContains,
  commonBase,
  findOverlay,
  skipFilters,
} from '../../src/graph/backing-chain.ts'
import { backingImageOf, chainImagesOf } from '../../src/index.ts'
import { type GraphNode, graphNode } from '../../src/node/graph-node.ts'
import { filterOver } from '../helpers/filter.ts'
import { type World, world } from '../helpers/world.ts'

let at: World
beforeEach(async () => {
  at = world()
  await at.graph.create('toy', 'd/base', { size: 4096 })
  await at.graph.create('toy', 'd/mid', { size: 4096, backing: { filename: 'base', format: 'toy' } })
  await at.graph.create('toy', 'd/top', { size: 4096, backing: { filename: './mid', format: 'toy' } })
  at.files.set('d/other', at.files.get('d/base')!)
  at.files.set('base', at.files.get('d/base')!)
  return () => at.graph.close()
})

const open = async (name: string, options: Record<string, string> = {}): Promise<GraphNode> => {
  const flat = new Map(Object.entries({ driver: 'toy', 'file.filename': name, ...options }))
  return graphNode((await at.graph.open(flat, { readOnly: true })).root)
}

test('filters are looked through', async () => {
  const top = await open('d/top')
  const filter = graphNode((await at.graph.open(filterOver(filterOver(top)), { readOnly: true })).root)
  const [, mid, base] = chainImagesOf(filter) as GraphNode[]
  expect(chainImagesOf(filter)).toEqual([top, mid, base])
  expect([skipFilters(filter), skipFilters(top), chainBottom(filter)]).toEqual([top, top, base])
  expect([backingImageOf(filter), backingImage(base!)]).toEqual([mid, undefined])
  expect([chainContains(filter, base!), chainContains(filter, filter), chainContains(mid!, top)]).toEqual([
    true,
    true,
    false,
  ])
})

test('overridden: another backing file than the image names, or none although it names one', async () => {
  const of = async (options: Record<string, string>) => backingOverridden(await open('d/mid', options))
  expect(await of({})).toBe(false)
  expect(await of({ 'backing.file.filename': 'd/other' })).toBe(true)
  // Names are all that is compared: here the overlay records `base`, which is what the user says as well.
  expect(await of({ 'backing.file.filename': 'base' })).toBe(false)
  expect(await of({ backing: '' })).toBe(true)
  expect(backingOverridden(await open('d/base'))).toBe(false)
})

test('overlays: who stands directly on an image, filters aside', async () => {
  const top = await open('d/top')
  const filter = graphNode((await at.graph.open(filterOver(top), { readOnly: true })).root)
  const [, mid, base] = chainImagesOf(top) as GraphNode[]
  expect([findOverlay(filter, mid), findOverlay(filter, base), findOverlay(mid!, base)]).toEqual([top, mid, mid])
  // The active image has none, nor has one of another chain; nothing stands below the bottom.
  expect([findOverlay(filter, top), findOverlay(filter, filter), findOverlay(mid!, top)]).toEqual(
    Array(3).fill(undefined),
  )
  expect([findOverlay(filter, undefined), findOverlay(base!, undefined)]).toEqual([base, base])
})

test('the topmost image that two chains share', async () => {
  const top = await open('d/top')
  const [, mid, base] = chainImagesOf(top) as GraphNode[]
  const sibling = graphNode(
    (
      await at.graph.open(
        new Map([
          ['driver', 'toy'],
          ['file.filename', 'd/mid'],
          ['backing', base!.nodeName],
        ]),
        { readOnly: true },
      )
    ).root,
  )
  const other = await open('d/top')
  expect([commonBase(top, sibling), commonBase(sibling, top), commonBase(top, mid!)]).toEqual([base, base, mid])
  expect([commonBase(top, top), commonBase(top, other)]).toEqual([top, undefined])
})
