// Nodes of one graph share what their requests may hold; a node without a graph has a budget of its own.
import { expect, test } from 'vitest'
import { bounceBytesDefault } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { IoState } from '../../src/node/io-state.ts'
import { filterOver } from '../helpers/filter.ts'
import { openSpec } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'

test('one budget for a graph', async () => {
  await using opened = await openSpec(filterOver(record(new Recorder(512))))
  const { bounce } = opened.node.io
  expect(bounce.bytesMax).toBe(bounceBytesDefault)
  expect(graphNode(opened.node.children.get('file')!).io.bounce).toBe(bounce)
  expect(new IoState().bounce.bytesMax).toBe(bounceBytesDefault)
})
