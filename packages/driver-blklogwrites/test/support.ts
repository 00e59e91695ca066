/** What the tests of this package share: disks with a log, stores that fail, and the reference. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockBackend, type BlockGraph, createBlockGraph } from '@blocklayer/block-core'
import { BlockError, type Errno } from '@blocklayer/block-core/driver'
import { type MemoryOptions, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { createFileDriver } from '@blocklayer/driver-file'
import { onTestFinished } from 'vitest'
import { type BlklogwritesOptions, blklogwrites, blklogwritesDriver, type LogEntry, readLog } from '../src/index.ts'

/** A store that fails as told, each error once. */
export class FailingStore extends MemoryStore {
  writeFails: Errno | undefined
  zeroFails: Errno | undefined
  flushFails: Errno | undefined

  override write(offset: number, data: Uint8Array): void {
    this.#fail('writeFails')
    super.write(offset, data)
  }

  override zero(offset: number, bytes: number): void {
    this.#fail('zeroFails')
    super.zero(offset, bytes)
  }

  override flush(): void {
    this.#fail('flushFails')
    super.flush()
  }

  #fail(which: 'writeFails' | 'zeroFails' | 'flushFails'): void {
    const code = this[which]
    this[which] = undefined
    if (code !== undefined) throw BlockError.fromErrno(code)
  }
}

/** A graph that closes with the test. */
export function newGraph(): BlockGraph {
  const drivers = [createFileDriver({ aio: 'sync' }), blklogwritesDriver]
  const graph = createBlockGraph({ drivers, implicitOpen: 'deny' })
  onTestFinished(() => graph.close())
  return graph
}

/** Options but for the two children. */
export type LogOptions = Omit<BlklogwritesOptions, 'file' | 'log'>

/** Opens a disk over `disk` that logs to `log`. */
export function openLogged(
  disk: MemoryStore,
  log: MemoryStore,
  options: LogOptions = {},
  below: Omit<MemoryOptions, 'store'> = {},
): Promise<BlockBackend> {
  return newGraph().open(blklogwrites({ ...options, file: memory(disk, below), log: memory(log) }), { unmap: true })
}

/** All entries of a log. */
export async function entriesOf(log: Uint8Array): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const entry of (await readLog(log)).entries()) entries.push(entry)
  return entries
}

/** Entries as short text: `write 512+1024`, `flush`. */
export async function story(log: Uint8Array): Promise<string[]> {
  const entries = await entriesOf(log)
  return entries.map(({ kind, offset, bytes }) => (bytes === 0 ? kind : `${kind} ${offset}+${bytes}`))
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-blklogwrites-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool in `folder` and gives all that it prints. */
export function reference(folder: string, tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', cwd: folder })
  return stdout + stderr
}
