// The chain functions that jobs and tools see: by node, whatever node the graph gave them.
import { afterEach, expect, test } from 'vitest'
import { chainContains, commonBase, findBase, findOverlay, hasOtherBacking } from '../../src/graph/chain-queries.ts'
import { chain, world } from '../helpers/world.ts'

const at = world()
afterEach(() => at.graph.close())

test('overlay, base, common base, membership', async () => {
  await chain(at)
  const top = (await at.graph.open('top', { readOnly: true })).root
  const mid = top.backing!
  const base = mid.backing!
  expect([findOverlay(top, base), findOverlay(top), findOverlay(top, top)]).toEqual([mid, base, undefined])
  expect([findBase(top), commonBase(top, mid)]).toEqual([base, mid])
  expect([chainContains(top, base), chainContains(mid, top)]).toEqual([true, false])
  expect(hasOtherBacking(top)).toBe(false)
})
