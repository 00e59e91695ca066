// Proves that the three-image chain can be opened with every node named by the user, its middle image replaced again and
// again under I/O, filtered, reopened and drained, without a lost write: on real files made by the reference, which reads
// what was written in the end. A seed brings a failure back (BLOCKLAYER_SEED).
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlockBackend,
  type BlockNode,
  createBlockGraph,
  drainedNode,
  type FlatOptions,
  type OptionScalar,
  Permissions,
} from '@blocklayer/block-core'
import { expectSameBytes, filled, type Random, random, seeds } from '@blocklayer/block-core/testing'
import { copyOnReadDriver } from '@blocklayer/driver-copy-on-read'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled, mustSucceed, run } from '../scripts/lib/workspace.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-io')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const { consistentRead, write, all } = Permissions
const MiB = 1024 * 1024
const lane = MiB / 2
/** The lower lanes belong to users of the top, the upper ones to users of the middle image; the top shows all. */
const topLanes = 4
const lanes = 6
const rounds = 10

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-chain-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const img = (...args: string[]): void => void mustSucceed(`qemu-img ${args.join(' ')}`, run('qemu-img', args, folder))

/** base ← mid ← top, the base full, the others with some data; and what the top shows. */
function makeChain(): Uint8Array {
  const io = (file: string, ...commands: string[]): void => {
    const args = ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), file]
    mustSucceed(`qemu-io ${args.join(' ')}`, run('qemu-io', args, folder))
  }
  img('create', '-q', '-f', 'qcow2', 'base', `${lanes * lane}`)
  img('create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'qcow2', 'mid-0', `${lanes * lane}`)
  img('create', '-q', '-f', 'qcow2', '-b', 'mid-0', '-F', 'qcow2', 'top', `${lanes * lane}`)
  io('base', `write -P 1 0 ${lanes * lane}`)
  io('mid-0', 'write -P 2 300k 600k', 'write -P 2 2500k 10k')
  io('top', 'write -P 3 100k 50k')
  img('convert', '-O', 'raw', 'top', 'shown')
  return readFileSync(join(folder, 'shown'))
}

/** Writes its lane again and again, and reads back what it wrote; goes on as long as `next` says so. */
async function use(disk: BlockBackend, expected: Uint8Array, start: number, choose: Random, next: () => boolean) {
  while (next()) {
    const at = start + choose.below(lane - 65536)
    const bytes = 1 + choose.below(65536)
    if (choose.chance(0.6)) {
      const value = 4 + choose.below(250)
      expected.fill(value, at, at + bytes)
      await disk.write(at, filled(value, bytes))
    } else {
      const into = new Uint8Array(bytes)
      await disk.read(at, into)
      expectSameBytes(into, expected.subarray(at, at + bytes), `offset ${at}`)
    }
    if (choose.chance(0.05)) await disk.flush()
  }
}

const options = (entries: Record<string, OptionScalar>): FlatOptions => new Map(Object.entries(entries))
const qcow2 = (name: string, filename: string, more: Record<string, OptionScalar> = {}) =>
  options({
    driver: 'qcow2',
    'node-name': name,
    'file.driver': 'file',
    'file.filename': join(folder, filename),
    'file.node-name': `${name}-file`,
    ...more,
  })

describe.skipIf(!hasReference)('made and read by the reference (skipped where it is not installed)', () => {
  test.each(seeds(1, 2))('no write is lost (seed %i)', async (seed) => {
    const expected = makeChain()
    const choose = random(seed)
    const graph = createBlockGraph({ drivers: [fileDriver, qcow2Driver, copyOnReadDriver], implicitOpen: 'deny' })
    await graph.addNode(qcow2('base', 'base', { 'read-only': true }))
    let mid = await graph.addNode(qcow2('mid-0', 'mid-0', { backing: 'base' }))
    const top = await graph.addNode(qcow2('top', 'top', { backing: 'mid-0' }))
    expect(graph.nodes.map((node) => node.nodeName)).toEqual([
      'top',
      'top-file',
      'mid-0',
      'mid-0-file',
      'base',
      'base-file',
    ])
    let over = false
    let requests = 0
    const next = () => ++requests > 0 && !over
    const users = Array.from({ length: lanes }, (_, index) => {
      const disk = graph.backend(index < topLanes ? top : mid, {
        permissions: { taken: consistentRead | write, shared: all },
      })
      return use(disk, expected, index * lane, random(seed * 100 + index), next)
    })
    /** Lets the users do something between two changes. */
    const busy = async (more: number) => {
      const until = requests + more
      while (requests < until) await new Promise((resolve) => setImmediate(resolve))
    }
    for (let round = 1; round <= rounds; round++) {
      await Promise.race([busy(20), ...users])
      mid = await replaceMiddle(graph, mid, round)
      await Promise.race([busy(20), ...users])
      const change = choose.below(3)
      if (change === 0) {
        const l2 = { 'l2-cache-size': choose.pick([65536, 1048576]), file: 'top-file', backing: mid.nodeName }
        await graph.reopen([{ node: 'top', options: options(l2) }])
      } else if (change === 1) {
        const filter = await graph.insertFilter(
          top,
          options({ driver: 'copy-on-read', 'node-name': 'filter', file: 'top' }),
        )
        await graph.removeFilter(filter)
      } else {
        await graph.drainAll(async () => {})
      }
    }
    over = true
    await Promise.all(users)
    expect(top.backing).toBe(mid)
    await graph.close()
    img('rebase', '-u', '-b', mid.nodeName, '-F', 'qcow2', 'top')
    for (const name of ['top', mid.nodeName, 'base']) img('check', '-q', name)
    img('convert', '-O', 'raw', 'top', 'result')
    expectSameBytes(readFileSync(join(folder, 'result')), expected, 'what the reference reads')
  })
})

/** Copies the middle image while nobody writes, and puts the copy in its place. */
async function replaceMiddle(
  graph: ReturnType<typeof createBlockGraph>,
  old: BlockNode,
  round: number,
): Promise<BlockNode> {
  const name = `mid-${round}`
  const fresh = await drainedNode(old, async () => {
    const job = graph.backend(old, { permissions: { taken: 0, shared: all }, ignoreDrain: true, isJob: true })
    await job.flush()
    copyFileSync(join(folder, old.nodeName), join(folder, name))
    const node = await graph.addNode(qcow2(name, name, { backing: 'base' }))
    await graph.replaceNode(old, node)
    await job.close()
    return node
  })
  await graph.removeNode(old.nodeName)
  return fresh
}
