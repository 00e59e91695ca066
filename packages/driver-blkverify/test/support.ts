/** What the tests of this package share: two stores under one blkverify node, stores that fail, and the reference. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockBackend, type BlockGraph, createBlockGraph, type OpenOptions } from '@blocklayer/block-core'
import { BlockError, type Errno } from '@blocklayer/block-core/driver'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { createFileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { onTestFinished } from 'vitest'
import { blkverify, blkverifyDriver } from '../src/index.ts'

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

/** A graph with the drivers that the tests name; closes with the test. */
export function newGraph(lines: string[] = []): BlockGraph {
  const graph = createBlockGraph({
    drivers: [createFileDriver({ aio: 'sync' }), rawDriver, qcow2Driver, blkdebugDriver, blkverifyDriver],
    implicitOpen: 'allow',
    onDiagnostic: ({ text }) => lines.push(text),
  })
  // A test may leave a store that cannot be flushed; closing it then has no other news.
  onTestFinished(() => graph.close().catch((error: unknown) => void lines.push(String(error))))
  return graph
}

/** A disk over two stores, and what was reported. */
export interface Verified {
  readonly disk: BlockBackend
  readonly lines: readonly string[]
}

/** Opens a blkverify node over two stores. */
export async function openVerified(raw: MemoryStore, test: MemoryStore, open: OpenOptions = {}): Promise<Verified> {
  const lines: string[] = []
  const disk = await newGraph(lines).open(blkverify({ raw: memory(raw), test: memory(test) }), open)
  return { disk, lines }
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-blkverify-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Options as text: `driver=blkverify,raw.filename=x`. */
export function flat(text: string): Map<string, string> {
  return new Map(text.split(',').map((pair) => pair.split('=') as [string, string]))
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool in `folder` and gives all that it prints. */
export function reference(folder: string, tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', cwd: folder })
  return stdout + stderr
}
