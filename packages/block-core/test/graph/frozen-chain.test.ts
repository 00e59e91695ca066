// A driver that freezes a piece of its chain: nobody takes it apart, and every range is found in the right image of it.
import { expect, test } from 'vitest'
import {
  type BlockNode,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type FrozenChain,
  type OpenContext,
} from '../../src/driver.ts'
import { frozenChain } from '../../src/graph/frozen-chain.ts'
import { createBlockGraph } from '../../src/index.ts'
import { type GraphNode, graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filterOver } from '../helpers/filter.ts'
import { overlay } from '../helpers/overlay.ts'

/** Allocated in `[start, end)` only. */
const allocated = (start: number, end: number) => (offset: number, bytes: number) => {
  const data = offset >= start && offset < end
  const stop = data ? end : offset < start ? start : offset + bytes
  return { bytes: Math.min(bytes, stop - offset), data, zero: false }
}

/** `top` (0 to 1k) over a filter over `mid` (1k to 2k, 3 KiB long) over `base` (all). */
async function openChain() {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const base = { ...memory(new MemoryStore(8192)), nodeName: 'base' }
  const mid = { ...overlay({ length: 3072, status: allocated(1024, 2048), backing: base }), nodeName: 'mid' }
  const between = { ...filterOver(mid), nodeName: 'between' }
  const top = { ...overlay({ length: 8192, status: allocated(0, 1024), backing: between }), nodeName: 'top' }
  const disk = await graph.open(filterOver(top, { nodeName: 'filter' }), { readOnly: true })
  const root = graphNode(disk.root)
  const named = (name: string): GraphNode => {
    const found = [root, ...below(root)].find((node) => node.nodeName === name)
    if (found === undefined) throw new Error(`no ${name}`)
    return found
  }
  return { graph, named, [Symbol.asyncDispose]: () => graph.close() }
}

const below = (node: GraphNode): GraphNode[] => [...node.children.values()].flatMap((child) => [child, ...below(child)])

async function sources(chain: FrozenChain, length: number): Promise<string[]> {
  const runs: string[] = []
  for (let at = 0; at < length; ) {
    const { bytes, source } = await chain.source(at, length - at)
    runs.push(`${at} ${source}`)
    at += bytes
  }
  return runs
}

test('every range is found in the first image that has it', async () => {
  await using at = await openChain()
  const whole = frozenChain(at.named('filter'), at.named('base'))
  // Beyond its end the middle image reads as zeroes: what is below does not show.
  expect(await sources(whole, 8192)).toEqual(['0 top', '1024 below', '2048 below', '3072 below'])
  whole.release()
  const upper = frozenChain(at.named('filter'), at.named('mid'))
  expect(await sources(upper, 8192)).toEqual(['0 top', '1024 below', '2048 beyond', '3072 below'])
  expect(await upper.source(8192, 512)).toEqual({ bytes: 0, source: 'beyond' })
  upper.release()
  const single = frozenChain(at.named('filter'), at.named('top'))
  expect(await sources(single, 8192)).toEqual(['0 top', '1024 beyond'])
})

test('its links are frozen until it is released', async () => {
  await using at = await openChain()
  const links = ['filter', 'top', 'between', 'mid'].map((name) => at.named(name).chainEdge)
  const frozen = () => links.map((edge) => edge?.frozen)
  const chain = frozenChain(at.named('filter'), at.named('mid'))
  expect(frozen()).toEqual([true, true, true, false])
  expect(() => frozenChain(at.named('top'), at.named('mid'))).toThrow(
    "Cannot change 'backing' link from 'top' to 'between'",
  )
  chain.release()
  expect(frozen()).toEqual([false, false, false, false])
})

test('what is not below is refused', async () => {
  await using at = await openChain()
  const refused = (top: string, bottom: string) => {
    const message = `Node '${bottom}' is not in the backing chain of '${top}'`
    expect(() => frozenChain(at.named(top), at.named(bottom))).toThrow(
      expect.objectContaining({ code: 'EINVAL', message }),
    )
  }
  refused('mid', 'top')
  refused('top', 'top')
  await at.graph.open({ ...memory(new MemoryStore(512)), nodeName: 'other' })
})

test('drivers reach it through the context of their open', async () => {
  await using at = await openChain()
  const seen: unknown[] = []
  const look = (context: OpenContext) => {
    const mid = context.findNode('mid') as BlockNode
    const chain = context.freezeChain(mid)
    seen.push(
      context.findNode('nobody'),
      context.findNode(context.nodeName)?.driverName,
      at.named('top').chainEdge?.frozen,
    )
    chain.release()
  }
  const looker = defineDriver<{ file: ChildSpec }>({
    formatName: 'looker',
    kind: 'filter',
    options: { file: { name: 'file', type: 'node', help: '' } },
    async open(context, options) {
      const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
      look(context)
      return { length: file.length, read: (offset, into) => file.read(offset, into), close: async () => {} }
    },
  })
  await at.graph.open({ driver: looker, options: { file: at.named('top') } }, { readOnly: true })
  expect(seen).toEqual([undefined, 'looker', true])
})
