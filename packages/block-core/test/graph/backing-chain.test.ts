// Walks along chains, and which image a name means to `commit -b` (spec/qemu-img.md, section 13.3).
import { beforeEach, expect, test } from 'vitest'
import { backingImageOf, chainImagesOf, resolvedBackingName } from '../../src/index.ts'
import {
  backingImage,
  backingOverridden,
  chainBottom,
  chainContains,
  skipFilters,
  storageFilename,
} from '../../src/graph/backing-chain.ts'
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

test('an image’s place is its storage’s name', async () => {
  const raw = graphNode((await at.graph.open('d/base', { format: 'raw', readOnly: true })).root)
  expect([storageFilename(await open('d/top')), storageFilename(raw)]).toEqual(['d/top', 'd/base'])
  expect(resolvedBackingName(await open('d/top'))).toBe('d/./mid')
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

const found = (top: GraphNode, name: string) => at.graph.findBackingImage(top, name)?.filename

test.each([
  ['mid', 'd/./mid'],
  ['./mid', 'd/./mid'],
  ['././mid', 'd/./mid'],
  ['base', 'd/./base'],
  ['./base', 'd/./base'],
  // Relative to the overlay’s folder, not to where the user stands; never the image itself.
  ['d/base', undefined],
  ['top', undefined],
  ['missing', undefined],
  ['', undefined],
  // With a prefix on either side the texts must agree.
  ['file:base', undefined],
])('%s means %s', async (name, image) => {
  expect(found(await open('d/top'), name)).toBe(image)
})

test('a recorded name with a protocol is compared as text', async () => {
  const recorded = 'json:{"driver":"toy","file":{"driver":"file","filename":"d/base"}}'
  await at.graph.create('toy', 'odd', { size: 4096, backing: { filename: recorded, format: 'toy' } })
  const odd = await open('odd')
  expect([found(odd, recorded), found(odd, 'd/base'), found(odd, `${recorded} `)]).toEqual([
    'd/base',
    undefined,
    undefined,
  ])
})

test('an overridden backing file is compared with its own name', async () => {
  await at.graph.create('toy', 'e', { size: 4096 })
  const mid = await open('d/mid', { 'backing.file.filename': 'e' })
  expect([found(mid, 'e'), found(mid, './e'), found(mid, 'base')]).toEqual(['e', undefined, undefined])
})
