// Proves that a reopening does what the reference's blockdev-reopen does to the same graph: what may change, what goes back
// to its default, what is refused in which words, and which permissions and names follow.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyDriver,
  BlockError,
  createBlockGraph,
  type GraphDescription,
  graphDescription,
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
import { edgesOf } from './permissions/sides.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-storage-daemon')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const drivers: AnyDriver[] = [fileDriver, rawDriver, qcow2Driver, blkdebugDriver, nullCoDriver]
const home = process.cwd()
let folder: string

beforeAll(() => {
  if (!hasReference) return
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-reopen-'))
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

type Node = Record<string, unknown>
const file = (filename: string, more: object = {}): Node => ({ driver: 'file', filename, ...more })
const chain: readonly Node[] = [
  { driver: 'qcow2', 'node-name': 'b', file: file('base', { 'node-name': 'bf' }), 'read-only': true },
  { driver: 'qcow2', 'node-name': 'm', file: file('mid', { 'node-name': 'mf' }), backing: 'b', 'read-only': true },
  { driver: 'qcow2', 'node-name': 't', file: file('top', { 'node-name': 'tf' }), backing: 'm' },
]
const top = (more: object = {}): Node => ({ driver: 'qcow2', 'node-name': 't', file: 'tf', backing: 'm', ...more })
const raw: readonly Node[] = [
  { driver: 'raw', 'node-name': 'r', file: file('r', { 'node-name': 'rf' }), 'detect-zeroes': 'on' },
  { driver: 'file', 'node-name': 'spare', filename: 'copy' },
]
const plain = (more: object = {}): Node => ({ driver: 'raw', 'node-name': 'r', file: 'rf', ...more })

/** Nodes, then reopenings one after the other. */
const cases: Record<string, readonly [readonly Node[], ...(readonly Node[])[]]> = {
  'modes, with the file following': [chain, [top({ 'read-only': true })], [top()], [top({ 'read-only': true })]],
  'the middle becomes writable': [
    chain,
    [{ ...chain[1], file: 'mf' }],
    [{ ...chain[1], file: 'mf', 'read-only': false }],
  ],
  'a backing file must be spoken of': [
    chain,
    [{ driver: 'qcow2', 'node-name': 't', file: 'tf' }],
    [{ driver: 'qcow2', 'node-name': 'm', file: 'mf', 'read-only': true }],
  ],
  'backing files come and go': [chain, [top({ backing: null })], [top({ backing: 'b' })], [top()]],
  'an inline chain that is described': [
    [{ driver: 'qcow2', 'node-name': 't', file: file('top') }],
    [{ driver: 'qcow2', 'node-name': 't', file: file('top'), backing: { driver: 'qcow2', file: file('mid') } }],
    [
      {
        driver: 'qcow2',
        'node-name': 't',
        file: file('top'),
        backing: { driver: 'qcow2', file: file('mid'), backing: { driver: 'qcow2', file: file('base') } },
      },
    ],
    [{ driver: 'qcow2', 'node-name': 't', file: file('top'), backing: null }],
  ],
  'what is not there, and what would be a circle': [
    chain,
    [top({ backing: 'nothing' })],
    [top({ backing: 't' })],
    [{ driver: 'qcow2', 'node-name': 'b', file: 'bf', backing: 't', 'read-only': true }],
    [{ driver: 'qcow2', 'node-name': 'zz', file: 'bf' }],
  ],
  'runtime options of qcow2': [
    chain,
    [top({ 'l2-cache-size': 65536, 'lazy-refcounts': true, 'overlap-check': 'all' })],
    [top({ 'cache-size': 1048576, 'l2-cache-size': 1048576, 'refcount-cache-size': 1048576 })],
    [top({ 'cache-clean-interval': 5 })],
    [top()],
  ],
  'a window that moves': [
    raw,
    [plain({ size: 4096 })],
    [plain({ size: 4096, offset: 512 })],
    [plain({ size: 100 })],
    [plain({ offset: 1073741824 })],
    [plain({ size: 1048576, offset: 4096 })],
    [plain()],
  ],
  'common options': [
    raw,
    [plain({ 'detect-zeroes': 'unmap' })],
    [plain({ 'detect-zeroes': 'unmap', discard: 'unmap' })],
    [plain({ cache: { 'no-flush': true } })],
    [plain({ 'force-share': true, 'read-only': true })],
    [plain()],
  ],
  'what a file keeps': [
    raw,
    [{ driver: 'file', 'node-name': 'rf', filename: 'copy' }],
    [{ driver: 'file', 'node-name': 'rf', filename: 'r', locking: 'off' }],
    [{ driver: 'file', 'node-name': 'rf', filename: 'r', 'read-only': true }],
    [plain({ file: file('copy') })],
    [plain({ file: file('r', { 'node-name': 'other' }) })],
    [plain({ file: { driver: 'null-co', size: 5 } })],
  ],
  'another file': [raw, [plain({ file: 'spare' })], [plain({ file: 'rf' })], [plain({ file: 'nothing' })]],
  'a filter below, which keeps its rules': [
    [
      { driver: 'file', 'node-name': 'f', filename: 'r' },
      { driver: 'blkdebug', 'node-name': 'd', image: 'f', 'inject-error': [{ event: 'read_aio', errno: 5 }] },
    ],
    [{ driver: 'blkdebug', 'node-name': 'd', image: 'f' }],
    [{ driver: 'blkdebug', 'node-name': 'd', image: 'f', 'inject-error': [{ event: 'read_aio', errno: 6 }] }],
    [
      {
        driver: 'blkdebug',
        'node-name': 'd',
        image: 'f',
        'inject-error': [{ event: 'read_aio', errno: 5 }],
        align: 512,
      },
    ],
    [{ driver: 'blkdebug', 'node-name': 'd', image: 'f', 'inject-error': [{ event: 'read_aio', errno: 5 }] }],
    [{ driver: 'blkdebug', 'node-name': 'd', image: 'x', 'inject-error': [{ event: 'read_aio', errno: 5 }] }],
  ],
  'several at once': [
    [...chain, ...raw],
    [top({ 'read-only': true }), plain({ size: 4096 })],
    [top(), plain({ size: 100 })],
    [plain({ size: 8192 }), top({ backing: 'nothing' })],
    [top(), plain({ file: 'spare' })],
  ],
}

/** What became of each step: `ok` or the words of its refusal, then the edges and the names of the files. */
async function story(
  steps: readonly (readonly Node[])[],
  reopen: (nodes: readonly Node[]) => Promise<unknown>,
  look: () => Promise<readonly [GraphDescription, readonly NodeInfo[]]>,
): Promise<unknown[]> {
  const told: unknown[] = []
  for (const step of steps) {
    const outcome = await reopen(step).then(
      () => 'ok',
      (error: Error) => error.message,
    )
    const [edges, nodes] = await look()
    const facts = nodes.map((node) => {
      const { ro, file: name, detect_zeroes: zeroes, cache } = node as unknown as Node
      return [ro, String(name).replace(/^.*\/(?=[a-z]+$)/, ''), zeroes, cache]
    })
    told.push([outcome.replaceAll(/#block\d+/g, '#'), edgesOf(edges), facts])
  }
  return told
}

describe.skipIf(!hasReference)('beside the storage daemon (skipped where it is not installed)', () => {
  test.each(Object.entries(cases))('%s', async (_, [nodes, ...steps]) => {
    await using daemon = await StorageDaemon.start(join(folder, 'theirs'), nodes)
    await using graph = createBlockGraph({ drivers, implicitOpen: 'allow' })
    const flat = (node: Node) => parseJsonFilename(`json:${JSON.stringify(node)}`)
    for (const node of nodes) await graph.addNode(flat(node))
    const ours = await story(
      steps,
      async (step) => {
        const failed = await graph
          .reopen(step.map((node) => ({ node: String(node['node-name']), options: flat(node) })))
          .catch((error: unknown) => error)
        // Anything but a refusal is a bug.
        if (failed !== undefined && !(failed instanceof BlockError)) throw failed
        if (failed !== undefined) throw failed
      },
      async () => [graphDescription(graph), await namedNodes(graph)],
    )
    const theirs = await story(
      steps,
      (step) => daemon.ask('blockdev-reopen', { options: step }),
      async () => [
        (await daemon.ask('x-debug-query-block-graph')) as GraphDescription,
        (await daemon.ask('query-named-block-nodes')) as NodeInfo[],
      ],
    )
    expect(ours).toEqual(theirs)
  })
})
