// Operations are kept from nodes by whoever relies on them; the newest reason is told. Words as the reference's tools say
// them (`blockdev-del` of a backing file; a job's nodes).
import { expect, test } from 'vitest'
import { deviceOrNodeName } from '../../src/graph/op-blockers.ts'
import { type BlockNode, blockOperationsOn, createBlockGraph, requireUnblocked } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { held } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { chain, world } from '../helpers/world.ts'

const blocked = (node: BlockNode, operation: Parameters<typeof requireUnblocked>[1]) => () =>
  requireUnblocked(node, operation)

test('several reasons at once, each taken back on its own', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await held(graph, record(new Recorder(512), { nodeName: 'n' }))
  const first = blockOperationsOn(node, 'block device is in use by block job: commit', ['dataplane'])
  const second = blockOperationsOn(node, 'block device is in use by block job: stream')
  expect(blocked(node, 'resize')).toThrow("Node 'n' is busy: block device is in use by block job: stream")
  second()
  second()
  expect(blocked(node, 'resize')).toThrow("Node 'n' is busy: block device is in use by block job: commit")
  expect(blocked(node, 'dataplane')).not.toThrow()
  first()
  expect(blocked(node, 'resize')).not.toThrow()
})

test('a backing file is used as one, and may only be what that allows', async () => {
  const one = world()
  await using graph = one.graph
  await chain(one)
  const disk = await graph.open('top', { nodeName: 't' })
  const mid = disk.root.backing!
  const text = `Node '${mid.nodeName}' is busy: node is used as backing hd of 't'`
  expect(blocked(mid, 'mirror-source')).toThrow(text)
  for (const operation of ['commit-target', 'stream', 'backup-source', 'backup-target'] as const) {
    expect(blocked(mid, operation)).not.toThrow()
  }
  expect(blocked(disk.root, 'mirror-source')).not.toThrow()
  // The image below is called by the device that shows it.
  const device = graph.backend(disk.root, { permissions: { taken: 0, shared: 15 }, device: 'drive0' })
  expect(blocked(mid, 'resize')).toThrow(`Node '${mid.nodeName}' is busy: node is used as backing hd of 'drive0'`)
  expect(deviceOrNodeName(graphNode(disk.root))).toBe('drive0')
  await device.close()
  expect(deviceOrNodeName(graphNode(disk.root))).toBe('t')
})
