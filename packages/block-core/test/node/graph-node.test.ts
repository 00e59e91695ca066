// A node knows its chain, and has no medium once it is ejected or closed.
import { afterEach, expect, test } from 'vitest'
import { graphNode } from '../../src/node/graph-node.ts'
import { chain, failure, world } from '../helpers/world.ts'

const { graph, ...rest } = world()
afterEach(() => graph.close())

test('backing, children and lengths are seen from outside', async () => {
  await chain({ graph, ...rest }, 12_000)
  const disk = await graph.open('top')
  const top = disk.root
  expect(top.length).toBe(12_288)
  expect([...top.children.keys()]).toEqual(['file', 'backing'])
  expect(top.backing?.filename).toBe('mid')
  expect(top.backing?.backing?.backing).toBeUndefined()
  expect(top.backingReference).toEqual({ filename: 'mid', format: 'toy' })
  expect([top.driverName, top.driverKind, top.readOnly, top.backing?.readOnly]).toEqual(['toy', 'format', false, true])
  await disk.close()
})

test('an ejected node refuses everything, also at close', async () => {
  await graph.create('toy', 'one', { size: 4096 })
  const disk = await graph.open('one')
  const node = disk.root
  expect(await failure(disk.check())).toBe('the toy cannot be checked and is dead now')
  expect(node.ejected).toBe(true)
  expect(await failure(disk.read(0, new Uint8Array(1)))).toBe('No medium found')
  await disk.close()
})

test('only nodes of this core are taken', () => {
  expect(() => graphNode({} as never)).toThrow('not opened by a graph')
})
