// How deep a run is allocated: depths count filters, the base is asked or not, and runs end where any layer's does.
import { expect, test } from 'vitest'
import { allocatedDepth, isAllocated } from '../../src/io/chain-walk.ts'
import type { GraphNode } from '../../src/node/graph-node.ts'
import { Clusters, clustersOver } from '../helpers/clusters.ts'
import { filterOver } from '../helpers/filter.ts'
import { openSpec } from '../helpers/open-recorder.ts'

/** top ← filter ← mid ← base; base is shorter. */
async function chain() {
  const [top, mid, base] = [new Clusters(65536), new Clusters(65536), new Clusters(32768)]
  const opened = await openSpec(clustersOver(top, filterOver(clustersOver(mid, clustersOver(base)))))
  const nodes: GraphNode[] = []
  for (let node: GraphNode | undefined = opened.node; node !== undefined; node = node.chainEdge?.node) nodes.push(node)
  return { opened, top, mid, base, nodes }
}

test('depth counts every layer, filters too', async () => {
  const { opened, top, mid, base, nodes } = await chain()
  await using _ = opened
  top.allocate(0, 4096)
  mid.allocate(4096, 4096)
  base.allocate(8192, 4096)
  const depth = async (offset: number, end?: GraphNode, includeBase = false) =>
    allocatedDepth(nodes[0]!, end, { offset, bytes: 65536 }, includeBase)
  expect(await depth(0)).toEqual({ depth: 1, bytes: 4096 })
  // The filter passes on the image below it: what it finds there is its own answer.
  expect(await depth(4096)).toEqual({ depth: 2, bytes: 4096 })
  expect(await depth(8192)).toEqual({ depth: 4, bytes: 4096 })
  expect(await depth(8192, nodes[3])).toEqual({ depth: 0, bytes: 57344 })
  expect(await depth(8192, nodes[3], true)).toEqual({ depth: 4, bytes: 4096 })
  expect(await depth(8192, nodes[2], true)).toEqual({ depth: 0, bytes: 57344 })
  expect(await depth(12288)).toEqual({ depth: 0, bytes: 20480 })
  // Beyond the end of the base its absence hides everything: it counts as allocated there, by the base.
  expect(await depth(40960)).toEqual({ depth: 4, bytes: 24576 })
})

test('nothing is above the top itself', async () => {
  const { opened, top, nodes } = await chain()
  await using _ = opened
  top.allocate(0, 4096)
  const range = { offset: 0, bytes: 100000 }
  expect(await allocatedDepth(nodes[0]!, nodes[0], range)).toEqual({ depth: 0, bytes: 65536 })
  expect(await allocatedDepth(nodes[0]!, nodes[0], range, true)).toEqual({ depth: 1, bytes: 4096 })
})

test('one layer alone', async () => {
  const { opened, top } = await chain()
  await using _ = opened
  top.allocate(4096, 8192)
  expect(await isAllocated(opened.node, 0, 65536)).toEqual({ allocated: false, bytes: 4096 })
  expect(await isAllocated(opened.node, 4096, 65536)).toEqual({ allocated: true, bytes: 8192 })
  expect(await isAllocated(opened.node, 65536, 512)).toEqual({ allocated: false, bytes: 0 })
  expect(await opened.disk.isAllocated(4096, 100)).toEqual({ allocated: true, bytes: 100 })
})
