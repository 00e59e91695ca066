/**
 * Proves that a failing request does no lasting harm: with the first, second, third … request of an operation failing, the
 * operation fails or succeeds, nothing else changes, and a check of what is left finds leaks at most.
 */

import { expectSameBytes, FaultStore, filled, forEachFault, MemoryStore } from '@blocklayer/block-core/testing'
import { BlockError } from '@blocklayer/block-core/driver'
import type { BlockBackend } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { checkStore, KiB, newImage, openDisk, readAll } from './helpers/disk.ts'

const clusterSize = 1024

interface Operation {
  readonly name: string
  /** Guest range that the operation may change. */
  readonly offset: number
  readonly bytes: number
  run(disk: BlockBackend): Promise<void>
}

const operations: Operation[] = [
  { name: 'first write', offset: 0, bytes: 3 * KiB, run: (disk) => disk.write(0, filled(1, 3 * KiB)) },
  { name: 'partial write', offset: 8704, bytes: 512, run: (disk) => disk.write(8704, filled(2, 512)) },
  { name: 'write in place', offset: 64 * KiB, bytes: 512, run: (disk) => disk.write(64 * KiB, filled(3, 512)) },
  {
    name: 'write that fills a refcount block',
    offset: 128 * KiB,
    bytes: 400 * KiB,
    run: (disk) => disk.write(128 * KiB, filled(4, 400 * KiB)),
  },
  { name: 'zero write', offset: 64 * KiB, bytes: 4 * KiB, run: (disk) => disk.writeZeroes(64 * KiB, 4 * KiB) },
  { name: 'discard', offset: 64 * KiB, bytes: 4 * KiB, run: (disk) => disk.discard(64 * KiB, 4 * KiB) },
  { name: 'growing the disk', offset: 0, bytes: 0, run: (disk) => disk.truncate(64 * 1024 * KiB) },
]

/** Runs `operation` and a flush with one request failing; `false` where that request never came. */
async function attempt(operation: Operation, index: number, forGood: boolean, withBacking: boolean): Promise<boolean> {
  const backing = withBacking ? new MemoryStore(await newImage(1024 * KiB, {})) : undefined
  const store = new FaultStore(await newImage(1024 * KiB, { clusterSize, refcountBits: 64 }))
  const opened = await openDisk(store, { unmap: true, backing })
  await opened.disk.write(64 * KiB, filled(9, 8 * KiB))
  await opened.disk.flush()
  const before = await readAll(opened.disk)
  store.arm({ index, forGood, code: 'EIO' })
  const failures: unknown[] = []
  const collect = (error: unknown): void => void failures.push(error)
  await operation.run(opened.disk).catch(collect)
  await opened.disk.flush().catch(collect)
  const { hit } = store
  if (!forGood) store.disarm()
  await opened.close().catch(collect)
  store.disarm()
  for (const failure of failures) expect(failure).toBeInstanceOf(BlockError)
  if (!hit) expect(failures).toEqual([])
  await verify(store, operation, before, `${operation.name}, request ${index}`)
  return hit
}

async function verify(store: MemoryStore, operation: Operation, before: Uint8Array, what: string): Promise<void> {
  const result = await checkStore(store)
  expect({ what, ...result }).toMatchObject({ what, corruptions: 0, checkErrors: 0 })
  await using opened = await openDisk(store, { readOnly: true })
  const after = await readAll(opened.disk)
  const { offset, bytes } = operation
  expectSameBytes(after.subarray(0, offset), before.subarray(0, offset), what)
  expectSameBytes(after.subarray(offset + bytes, before.length), before.subarray(offset + bytes), what)
}

describe.each(operations)('$name', (operation) => {
  test.each([
    { failures: 'one failure', forGood: false, withBacking: false },
    { failures: 'failing for good', forGood: true, withBacking: false },
    { failures: 'one failure, over a backing file', forGood: false, withBacking: true },
  ])('$failures', async ({ forGood, withBacking }) => {
    const faults = await forEachFault((index) => attempt(operation, index, forGood, withBacking))
    expect(faults).toBeGreaterThan(0)
  })
})
