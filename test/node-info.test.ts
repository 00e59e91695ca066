// Proves that what we tell of a graph is what the reference's storage daemon tells of the same one: every field of every
// node, and every edge with its permissions.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyDriver,
  createBlockGraph,
  graphDescription,
  type GraphDescription,
  namedNodes,
  type NodeInfo,
  parseJsonFilename,
} from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { fileDriver } from '@blocklayer/driver-file'
import { nullCoDriver } from '@blocklayer/driver-null'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled } from '../scripts/lib/workspace.ts'
import { StorageDaemon } from './descriptions/daemon.ts'
import { makeImages } from './descriptions/images.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-storage-daemon')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const drivers: AnyDriver[] = [fileDriver, rawDriver, qcow2Driver, blkdebugDriver, nullCoDriver]
const home = process.cwd()
let folder: string

beforeAll(() => {
  if (!hasReference) return
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-node-info-'))
  for (const side of ['ours', 'theirs']) {
    mkdirSync(join(folder, side))
    makeImages(join(folder, side))
  }
  process.chdir(join(folder, 'ours'))
})
afterAll(() => {
  process.chdir(home)
  if (folder !== undefined) rmSync(folder, { recursive: true })
})

const file = (filename: string) => ({ driver: 'file', filename })
const graphs: Record<string, readonly object[]> = {
  'raw over a file': [{ driver: 'raw', 'node-name': 'n', file: file('r'), 'read-only': true }],
  'writable raw, a window': [
    { driver: 'raw', 'node-name': 'n', file: file('r'), offset: 65536, size: 65536, 'detect-zeroes': 'on' },
  ],
  'a chain, read-only': [{ driver: 'qcow2', 'node-name': 'n', file: file('top'), 'read-only': true }],
  'a chain, writable, with cache modes': [
    { driver: 'qcow2', 'node-name': 'n', file: file('top'), discard: 'unmap', cache: { 'no-flush': true } },
  ],
  'another backing file': [
    { driver: 'qcow2', 'node-name': 'n', file: file('top'), backing: { driver: 'raw', file: file('r') } },
  ],
  'no backing file': [{ driver: 'qcow2', 'node-name': 'n', file: file('top'), backing: null, 'read-only': true }],
  'a chain of named nodes': [
    { driver: 'file', 'node-name': 'f', filename: 'base', 'read-only': true },
    { driver: 'qcow2', 'node-name': 'b', file: 'f', 'read-only': true },
    { driver: 'qcow2', 'node-name': 'm', file: file('mid'), backing: 'b', 'read-only': true },
    { driver: 'qcow2', 'node-name': 't', file: file('top'), backing: 'm' },
  ],
  'a filter above a format': [
    {
      driver: 'blkdebug',
      'node-name': 'n',
      align: 4096,
      image: { driver: 'qcow2', file: file('top') },
      'read-only': true,
    },
  ],
  'a filter below a format': [
    { driver: 'qcow2', 'node-name': 'n', file: { driver: 'blkdebug', image: file('base') }, 'read-only': true },
  ],
  'nothing on disk': [
    { driver: 'raw', 'node-name': 'n', file: { driver: 'null-co', size: 65536, 'read-zeroes': true } },
  ],
}

/** Names that the graph gave by itself are numbered; what belongs to the throttling of old is left out. */
function comparable(nodes: readonly NodeInfo[]): unknown[] {
  return nodes.map((node) => {
    const kept = Object.entries(node).filter(([key]) => !/^(iops|bps)/.test(key))
    return { ...Object.fromEntries(kept), 'node-name': node['node-name'].replace(/^#block\d+/, '#') }
  })
}

/** Edges as text, in an order of our own; the names of nodes without one are those of their neighbours. */
function edgesOf({ nodes, edges }: GraphDescription): string[] {
  const names = new Map(nodes.map(({ id, name }) => [id, name.replace(/^#block\d+/, '#')]))
  return edges
    .map((edge) => {
      const sets = [edge.perm, edge['shared-perm']].map((set) => [...set].sort().join('+'))
      return `${names.get(edge.parent)} ${edge.name} ${names.get(edge.child)}: ${sets.join(' / ')}`
    })
    .sort()
}

describe.skipIf(!hasReference)('beside the storage daemon (skipped where it is not installed)', () => {
  test.each(Object.entries(graphs))('%s', async (_, nodes) => {
    await using daemon = await StorageDaemon.start(join(folder, 'theirs'), nodes)
    await using graph = createBlockGraph({ drivers, implicitOpen: 'allow' })
    for (const node of nodes) await graph.addNode(parseJsonFilename(`json:${JSON.stringify(node)}`))
    expect(comparable(await namedNodes(graph))).toEqual(
      comparable((await daemon.ask('query-named-block-nodes')) as NodeInfo[]),
    )
    expect(comparable(await namedNodes(graph, { flat: true }))).toEqual(
      comparable((await daemon.ask('query-named-block-nodes', { flat: true })) as NodeInfo[]),
    )
    const theirs = (await daemon.ask('x-debug-query-block-graph')) as GraphDescription
    expect(edgesOf(graphDescription(graph))).toEqual(edgesOf(theirs))
  })
})
