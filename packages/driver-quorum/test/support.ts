/** What the tests of this package share: quorums over stores that fail, their events, and the reference. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockBackend, type BlockGraph, createBlockGraph, type OpenOptions } from '@blocklayer/block-core'
import { type BlockDriver, BlockError, type Errno } from '@blocklayer/block-core/driver'
import { type MemoryOptions, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { createFileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { onTestFinished } from 'vitest'
import { createQuorumDriver, type QuorumEvent, type QuorumOptions, quorum } from '../src/index.ts'

/** A store whose requests fail as told. */
export class FailingStore extends MemoryStore {
  readFails: Errno | undefined
  writeFails: Errno | undefined
  flushFails: Errno | undefined

  override read(offset: number, into: Uint8Array): void {
    if (this.readFails !== undefined) throw BlockError.fromErrno(this.readFails)
    super.read(offset, into)
  }

  override write(offset: number, data: Uint8Array): void {
    if (this.writeFails !== undefined) throw BlockError.fromErrno(this.writeFails)
    super.write(offset, data)
  }

  override flush(): void {
    if (this.flushFails !== undefined) throw BlockError.fromErrno(this.flushFails)
    super.flush()
  }
}

/** A graph that closes with the test, and what happens in its quorums. */
export function newGraph(): {
  graph: BlockGraph
  driver: BlockDriver<QuorumOptions, never>
  events: QuorumEvent[]
  lines: string[]
} {
  const events: QuorumEvent[] = []
  const lines: string[] = []
  const driver = createQuorumDriver({ onEvent: (event) => events.push(event) })
  const graph = createBlockGraph({
    drivers: [createFileDriver({ aio: 'sync' }), rawDriver, qcow2Driver, blkdebugDriver, driver],
    implicitOpen: 'allow',
    onDiagnostic: ({ text }) => lines.push(text),
  })
  // A test may leave a store that cannot be flushed; closing it then has no other news.
  onTestFinished(() => graph.close().catch((error: unknown) => void lines.push(String(error))))
  return { graph, driver, events, lines }
}

/** An open quorum over stores; copies are called `copy0`, `copy1` … */
export interface OpenQuorum {
  readonly disk: BlockBackend
  readonly graph: BlockGraph
  readonly stores: readonly FailingStore[]
  readonly events: QuorumEvent[]
  readonly lines: readonly string[]
}

/** Opens a quorum named `quorum` over `contents`, each a store's bytes. */
export async function openQuorum(
  contents: readonly (Uint8Array | number)[],
  options: Omit<QuorumOptions, 'children'> = {},
  setting: { readonly open?: OpenOptions; readonly below?: (index: number) => Omit<MemoryOptions, 'store'> } = {},
): Promise<OpenQuorum> {
  const { graph, driver, events, lines } = newGraph()
  const stores = contents.map((content) => new FailingStore(content))
  const children = stores.map((store, i) => ({ ...memory(store, setting.below?.(i) ?? {}), nodeName: `copy${i}` }))
  const spec = quorum({ voteThreshold: 2, ...options, children }, driver)
  const disk = await graph.open({ ...spec, nodeName: 'quorum' }, setting.open)
  return { disk, graph, stores, events, lines }
}

/** Reads `bytes` bytes at `offset`. */
export async function readAt(disk: BlockBackend, offset: number, bytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(bytes)
  await disk.read(offset, into)
  return into
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-quorum-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Options as text: `driver=quorum,children.0.driver=file`. */
export function flat(text: string): Map<string, string> {
  return new Map(text.split(',').map((pair) => pair.split('=') as [string, string]))
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool and gives all that it prints. */
export function reference(tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' })
  return stdout + stderr
}
