// Each step of a change can be taken back, down to the order of edges, limits and origins.
import { expect, test } from 'vitest'
import { ChildRoles } from '../../src/driver.ts'
import {
  linkEdge,
  moveEdge,
  reaches,
  refuseCycle,
  refuseFrozen,
  setChild,
  unlinkEdge,
} from '../../src/graph/edge-steps.ts'
import { GraphTransaction } from '../../src/graph/transaction.ts'
import { createBlockGraph } from '../../src/index.ts'
import { Edge } from '../../src/node/edge.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filterOver } from '../helpers/filter.ts'
import { graphState } from '../helpers/graph-state.ts'
import { held } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'

async function two() {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const limited = new Recorder(4096)
  limited.limits = { maxTransfer: 512 }
  const top = await held(graph, filterOver(record(new Recorder(4096), { nodeName: 'a' }), { nodeName: 'top' }))
  const above = await held(graph, filterOver(top, { nodeName: 'above' }))
  const other = await held(graph, record(limited, { nodeName: 'b' }))
  return { graph, above, top, other, a: graphNode(graph.node('a')!), [Symbol.asyncDispose]: () => graph.close() }
}

test('moving, unlinking and linking are undone as if nothing had been', async () => {
  await using at = await two()
  const before = graphState(at.graph)
  const limits = at.above.limits.maxTransfer
  const transaction = new GraphTransaction()
  const edge = at.top.edges.get('file')!
  moveEdge(transaction, edge, at.other)
  expect([at.top.children.get('file'), at.above.limits.maxTransfer]).toEqual([at.other, 512])
  unlinkEdge(transaction, edge)
  expect(at.above.limits.maxTransfer).toBe(limits)
  const node = { description: 'x', node: at.top }
  linkEdge(transaction, new Edge('backing', ChildRoles.cow, node, at.a))
  expect([...at.top.children.keys()]).toEqual(['backing'])
  transaction.rollback()
  expect(graphState(at.graph)).toEqual(before)
  expect(at.above.limits.maxTransfer).toBe(limits)
})

test('a child that another replaces is nobody’s inline child any more, unless the change is undone', async () => {
  await using at = await two()
  const transaction = new GraphTransaction()
  expect(at.a.inheritsFrom).toBe(at.top)
  setChild(transaction, at.top, { name: 'file', role: ChildRoles.filtered }, at.other)
  expect(at.a.inheritsFrom).toBeUndefined()
  transaction.rollback()
  expect(at.a.inheritsFrom).toBe(at.top)
  const edge = at.top.edges.get('file')
  expect(setChild(transaction, at.top, { name: 'file', role: ChildRoles.filtered }, at.a)).toBe(edge)
  expect(setChild(transaction, at.top, { name: 'file', role: ChildRoles.filtered }, undefined)).toBeUndefined()
  expect(at.top.edges.size).toBe(0)
  setChild(transaction, at.top, { name: 'file', role: ChildRoles.filtered }, at.other)
  transaction.rollback()
  expect(at.top.edges.get('file')).toBe(edge)
})

test('circles and frozen links', async () => {
  await using at = await two()
  const circle = "Making 'above' a file child of 'a' would create a cycle"
  expect(() => refuseCycle(at.a, 'file', at.above)).toThrow(circle)
  expect(() => refuseCycle(at.a, 'file', at.a)).toThrow("Making 'a' a file child of 'a' would create a cycle")
  refuseCycle(at.above, 'file', at.a)
  expect([reaches(at.above, at.a), reaches(at.a, at.above)]).toEqual([true, false])
  const edge = at.top.edges.get('file')!
  refuseFrozen(edge)
  edge.frozen = true
  expect(() => refuseFrozen(edge)).toThrow("Cannot change frozen 'file' link from 'top' to 'a'")
  const transaction = new GraphTransaction()
  expect(() => setChild(transaction, at.top, { name: 'file', role: 4 }, at.other)).toThrow('Cannot change frozen')
})

// A reopening keeps its change open while drivers work, and users come and go meanwhile.
test('who came or went since stays so when a change is undone', async () => {
  await using at = await two()
  const user = (name: string, node: typeof at.a) => new Edge(name, 0, { description: name, node: undefined }, node)
  const [gone, came] = [user('gone', at.a), user('came', at.a)]
  linkEdge(new GraphTransaction(), gone)
  for (const change of [
    (transaction: GraphTransaction) => moveEdge(transaction, at.top.edges.get('file')!, at.other),
    (transaction: GraphTransaction) => unlinkEdge(transaction, at.top.edges.get('file')!),
  ]) {
    const own = at.top.edges.get('file')!
    const transaction = new GraphTransaction()
    change(transaction)
    at.a.parents.delete(gone)
    linkEdge(new GraphTransaction(), came)
    transaction.rollback()
    expect([...at.a.parents]).toEqual([own, came])
    expect(at.top.edges.get('file')).toBe(own)
    at.a.parents.delete(came)
    at.a.parents.add(gone)
  }
  at.a.parents.delete(gone)
})
