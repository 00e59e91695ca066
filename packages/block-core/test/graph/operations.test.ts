// What jobs do with nodes: allocation between two images, permissions, recorded backing files.
import { beforeEach, expect, test } from 'vitest'
import { takeTurn } from '../../src/graph/reopen-turn.ts'
import {
  backingImageOf,
  chainAllocation,
  chainImagesOf,
  clusterSizeOf,
  moveUsers,
  Permissions,
  permissionsOf,
  zeroesByUnmapping,
} from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'
import { openSpec, settle } from '../helpers/open-recorder.ts'
import { chain, type World, world } from '../helpers/world.ts'

const KiB = 1024
let at: World
beforeEach(async () => {
  at = world()
  await chain(at)
  for (const [name, offset] of [
    ['base', 0],
    ['mid', 8 * KiB],
    ['top', 16 * KiB],
  ] as const) {
    const disk = await at.graph.open(name)
    await disk.write(offset, filled(1, 4 * KiB))
    await disk.close()
  }
  return () => at.graph.close()
})

test('what is allocated above an image', async () => {
  const disk = await at.graph.open('top', { readOnly: true })
  const [top, mid, base] = chainImagesOf(disk.root)
  const allocation = (from: typeof top, to: typeof top, offset: number) =>
    chainAllocation(from!, to, offset, 64 * KiB, false)
  expect(await allocation(top, base, 0)).toMatchObject({ bytes: 8 * KiB, allocated: false })
  expect(await allocation(top, undefined, 0)).toMatchObject({ bytes: 4 * KiB, allocated: true, data: true })
  expect(await allocation(top, base, 8 * KiB)).toMatchObject({ bytes: 4 * KiB, allocated: true })
  expect(await allocation(top, mid, 8 * KiB)).toMatchObject({ bytes: 8 * KiB, allocated: false })
  expect(await allocation(top, mid, 16 * KiB)).toMatchObject({ bytes: 4 * KiB, allocated: true })
  expect(await chainAllocation(top!, undefined, 32 * KiB, 64 * KiB)).toMatchObject({ bytes: 32 * KiB, zero: true })
  expect([backingImageOf(top!), backingImageOf(base!), clusterSizeOf(top!)]).toEqual([mid, undefined, 4 * KiB])
})

test('permissions of all users together', async () => {
  const { consistentRead, write, all } = Permissions
  const disk = await at.graph.open('top')
  const reader = at.graph.backend(disk.root, { permissions: { taken: 0, shared: all & ~Permissions.resize } })
  expect(permissionsOf(disk.root)).toEqual({ taken: consistentRead | write, shared: all & ~Permissions.resize })
  await reader.close()
})

test('zeroes without data need a driver that can and a node that passes discards on', async () => {
  await using unmapping = await openSpec(memory(new MemoryStore(512)), { unmap: true })
  await using keeping = await openSpec(memory(new MemoryStore(512)), {})
  await using none = await openSpec(memory(new MemoryStore(512), { zeroes: false }), { unmap: true })
  expect([unmapping, keeping, none].map(({ node }) => zeroesByUnmapping(node))).toEqual([true, false, false])
})

test('users move when nobody reopens what they leave, where they go, or themselves', async () => {
  const disk = await at.graph.open('top', { readOnly: true })
  const [top, mid, base] = chainImagesOf(disk.root)
  for (const busy of [top, mid, base]) {
    const { end } = await takeTurn(
      () => [graphNode(busy!)],
      () => ({ nodes: [] }),
    )
    const moved = moveUsers(mid!, base!)
    await settle()
    expect(backingImageOf(top!)).toBe(mid)
    end()
    await moved
    expect(backingImageOf(top!)).toBe(base)
    await at.graph.setBacking(top!, mid!)
  }
})
