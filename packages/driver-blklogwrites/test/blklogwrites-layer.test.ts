/** Proves that the log tells what happened to the file, in the order in which it did, whatever fails and overtakes. */

import { hostBytesOf, permissionsOf, readsZeroWhenNew, reopenReadOnly } from '@blocklayer/block-core'
import {
  expectSameBytes,
  filled,
  MemoryStore,
  random,
  randomPace,
  seeds,
  stamped,
} from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { readLog, replayEntry } from '../src/index.ts'
import { entriesOf, FailingStore, openLogged, story } from './support.ts'

describe('failures of the file', () => {
  test('a write that failed is logged all the same: some of it may be there', async () => {
    const [file, log] = [new FailingStore(4096), new MemoryStore()]
    const disk = await openLogged(file, log)
    file.writeFails = 'EIO'
    await expect(disk.write(0, filled(1, 512))).rejects.toMatchObject({ code: 'EIO' })
    file.zeroFails = 'ENOSPC'
    await expect(disk.writeZeroes(0, 512)).rejects.toMatchObject({ code: 'ENOSPC' })
    await disk.flush()
    expect(await story(log.bytes())).toEqual(['write 0+512', 'write 0+512', 'flush'])
  })

  test('so is a flush', async () => {
    const [file, log] = [new FailingStore(4096), new MemoryStore()]
    const disk = await openLogged(file, log)
    await disk.write(0, filled(1, 512))
    file.flushFails = 'EIO'
    await expect(disk.flush()).rejects.toMatchObject({ code: 'EIO' })
    await disk.flush()
    expect(await story(log.bytes())).toEqual(['write 0+512', 'flush', 'flush'])
  })

  test('what was not even tried is not', async () => {
    const [file, log] = [new MemoryStore(4096), new MemoryStore()]
    const disk = await openLogged(file, log, {}, { zeroes: false })
    await expect(disk.writeZeroes(0, 512, { noFallback: true })).rejects.toMatchObject({ code: 'ENOTSUP' })
    expect(log.length).toBe(0)
  })

  test('an error of the log comes first', async () => {
    const [file, log] = [new FailingStore(4096), new FailingStore()]
    const disk = await openLogged(file, log)
    file.writeFails = 'EIO'
    log.writeFails = 'ENOSPC'
    await expect(disk.write(0, filled(1, 512))).rejects.toMatchObject({ code: 'ENOSPC' })
  })
})

describe('what is logged', () => {
  test('whole log sectors, whatever was written', async () => {
    const log = new MemoryStore()
    const disk = await openLogged(new MemoryStore(stamped(0, 16384)), log, { logSectorSize: 4096 })
    await disk.write(5000, filled(1, 10))
    const [entry] = await finished(disk, log)
    const expected = stamped(4096, 4096)
    expected.fill(1, 904, 914)
    expect(entry).toMatchObject({ offset: 4096, bytes: 4096 })
    expect(await entry?.data()).toEqual(expected)
  })

  test('discards of whole log sectors; their edges are left as they are', async () => {
    const [file, log] = [new MemoryStore(filled(1, 16384)), new MemoryStore()]
    const disk = await openLogged(file, log, { logSectorSize: 4096 })
    await disk.discard(100, 12000)
    expect((await finished(disk, log))[0]).toMatchObject({ kind: 'discard', offset: 4096, bytes: 4096 })
    expect(file.bytes()[100]).toBe(1)
    expect(file.bytes()[5000]).toBe(0)
  })

  test('a durable write is followed by a flush', async () => {
    const log = new MemoryStore()
    const disk = await openLogged(new MemoryStore(4096), log)
    await disk.write(0, [filled(1, 100), filled(2, 412)], { fua: true })
    expect(await story(log.bytes())).toEqual(['write 0+512', 'flush'])
  })

  test('reads are not', async () => {
    const log = new MemoryStore()
    const disk = await openLogged(new MemoryStore(4096), log)
    await disk.read(0, [new Uint8Array(512), new Uint8Array(512)])
    await disk.close()
    expect(log.length).toBe(0)
  })
})

async function finished(disk: { close(): Promise<void> }, log: MemoryStore) {
  await disk.close()
  return entriesOf(log.bytes())
}

// The flush may have passed the disk before the write came: the log must not say that it is covered.
test('a write that ends while the file is flushed stands behind the flush', async () => {
  const [file, log] = [new MemoryStore(4096), new MemoryStore()]
  let next: Promise<void> | undefined
  const pace = () => {
    const held = next ?? Promise.resolve()
    next = undefined
    return held
  }
  const disk = await openLogged(file, log, {}, { pace })
  await disk.write(0, filled(1, 512))
  let open: () => void = () => {}
  next = new Promise<void>((resolve) => {
    open = resolve
  })
  const flush = disk.flush()
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  const write = disk.write(512, filled(2, 512))
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  expect(file.bytes()[512]).toBe(2)
  open()
  await Promise.all([flush, write])
  await disk.flush()
  expect(await story(log.bytes())).toEqual(['write 0+512', 'flush', 'write 512+512', 'flush'])
})

// The file below serves requests in any order: only the log can tell afterwards which write was the last.
test.each(seeds(1, 2))('a replay gives the same disk, whatever was in flight together (seed %i)', async (seed) => {
  const choose = random(seed)
  const bytes = 64 * 1024
  const [file, log] = [new MemoryStore(bytes), new MemoryStore()]
  const disk = await openLogged(file, log, {}, { pace: randomPace(seed) })
  for (let round = 0; round < 100; round++) {
    const requests = Array.from({ length: 16 }, (_, i) => {
      const offset = choose.below(bytes - 8192)
      const length = 1 + choose.below(8192)
      const kind = choose.below(6)
      if (kind === 0) return disk.flush()
      if (kind === 1) return disk.writeZeroes(offset, length)
      if (kind === 2) return disk.discard(offset, length)
      return disk.write(offset, filled(1 + ((round * 16 + i) % 255), length))
    })
    await Promise.all(requests)
  }
  await disk.close()
  const copy = new MemoryStore(bytes)
  for await (const entry of (await readLog(log.bytes())).entries()) await replayEntry(entry, copy)
  expectSameBytes(copy.bytes(), file.bytes(), `seed ${seed}`)
})

test('what the node says of itself', async () => {
  const disk = await openLogged(new MemoryStore(4096), new MemoryStore(512))
  expect(await hostBytesOf(disk.root)).toBeUndefined()
  expect(await readsZeroWhenNew(disk.root)).toBe(true)
  expect(await disk.blockStatus(0, 4096)).toMatchObject({ data: true, bytes: 4096 })
  await expect(reopenReadOnly(disk.root, true)).rejects.toMatchObject({
    message: `Block format 'blklogwrites' used by node '${disk.root.nodeName}' does not support reopening files`,
  })
})

test('a new length goes to the file', async () => {
  const file = new MemoryStore(4096)
  const disk = await openLogged(file, new MemoryStore())
  await disk.truncate(8192)
  expect([file.length, disk.length]).toEqual([8192, 8192])
})

// As x-debug-query-block-graph shows it: the file is used as the node is, the log is the node's own.
test('permissions', async () => {
  const disk = await openLogged(new MemoryStore(4096), new MemoryStore())
  const [file, log] = ['file', 'log'].map((name) => permissionsOf(disk.root.children.get(name)!))
  expect(file).toEqual({ taken: 3, shared: 15 })
  expect(log).toEqual({ taken: 11, shared: 5 })
})
