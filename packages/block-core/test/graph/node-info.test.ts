// What a query tells of nodes: every field once with each of its values, and which nodes are listed.
import { beforeEach, expect, test } from 'vitest'
import { createDirtyBitmap } from '../../src/graph/dirty-bitmaps.ts'
import { namedNodes, nodeInfo } from '../../src/graph/node-info.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { chain, type World, world } from '../helpers/world.ts'

let at: World
beforeEach(async () => {
  at = world()
  await chain(at)
  return () => at.graph.close()
})

test('a node with its chain', async () => {
  const disk = await at.graph.open('top', { readOnly: true, nodeName: 'n' })
  const { image, ...info } = await nodeInfo(disk.root)
  expect(info).toEqual({
    'node-name': 'n',
    drv: 'toy',
    ro: true,
    file: 'top',
    encrypted: false,
    detect_zeroes: 'off',
    cache: { writeback: true, direct: false, 'no-flush': false },
    backing_file: 'mid',
    backing_file_depth: 2,
    write_threshold: 0,
  })
  expect(image['backing-image']?.['backing-image']?.filename).toBe('base')
  expect(JSON.parse(JSON.stringify(info))).toEqual(info)
})

test('modes, bitmaps, a threshold', async () => {
  const flat = new Map(Object.entries({ driver: 'toy', 'file.filename': 'base', 'detect-zeroes': 'on' }))
  const disk = await at.graph.open(flat, { cache: { direct: true, noFlush: true } })
  const { remove } = createDirtyBitmap(disk.root, 4096)
  graphNode(disk.root).io.threshold.set(4096, () => {})
  expect(await nodeInfo(disk.root)).toMatchObject({
    ro: false,
    detect_zeroes: 'on',
    cache: { direct: true, 'no-flush': true },
    write_threshold: 4096,
    'dirty-bitmaps': [{ granularity: 4096, recording: true, count: 0 }],
  })
  remove()
})

test('all nodes, the youngest first; flat ones without what lies below', async () => {
  await at.graph.open('top', { readOnly: true })
  const all = await namedNodes(at.graph, { flat: true })
  expect(all.map(({ file, drv }) => `${file} ${drv}`)).toEqual([
    'base toy',
    'base file',
    'mid toy',
    'mid file',
    'top toy',
    'top file',
  ])
  expect(all.every((info) => info.backing_file_depth === 0 && info.image['backing-image'] === undefined)).toBe(true)
  const depths = (await namedNodes(at.graph)).map((info) => info.backing_file_depth)
  expect(depths).toEqual([0, 0, 1, 0, 2, 0])
})

test('a node without a medium is not listed', async () => {
  const disk = await at.graph.open('base')
  graphNode(disk.root).eject()
  expect((await namedNodes(at.graph)).map(({ drv }) => drv)).toEqual(['file'])
  await disk.close()
})
