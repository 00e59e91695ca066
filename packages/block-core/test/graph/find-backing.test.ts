// Which image of a chain a name means to `commit -b` (spec/qemu-img.md, section 13.3).
import { beforeEach, expect, test } from 'vitest'
import { type GraphNode, graphNode } from '../../src/node/graph-node.ts'
import { type World, world } from '../helpers/world.ts'

let at: World
beforeEach(async () => {
  at = world()
  await at.graph.create('toy', 'd/base', { size: 4096 })
  await at.graph.create('toy', 'd/mid', { size: 4096, backing: { filename: 'base', format: 'toy' } })
  await at.graph.create('toy', 'd/top', { size: 4096, backing: { filename: './mid', format: 'toy' } })
  return () => at.graph.close()
})

const open = async (name: string, options: Record<string, string> = {}): Promise<GraphNode> => {
  const flat = new Map(Object.entries({ driver: 'toy', 'file.filename': name, ...options }))
  return graphNode((await at.graph.open(flat, { readOnly: true })).root)
}

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
