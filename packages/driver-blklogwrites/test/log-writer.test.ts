/** Proves when the superblock is rewritten, and that an entry that could not be written leaves no gap. */

import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { readLog } from '../src/index.ts'
import { FailingStore, openLogged, story } from './support.ts'

async function counted(log: MemoryStore): Promise<number> {
  return log.length < 512 ? -1 : (await readLog(log.bytes())).entryCount
}

test('the superblock is rewritten after every so many entries, and flushed', async () => {
  const log = new MemoryStore()
  const disk = await openLogged(new MemoryStore(4096), log, { logSuperUpdateInterval: 3 })
  const seen: number[][] = []
  for (let i = 0; i < 7; i++) {
    await disk.write(0, filled(i, 512))
    seen.push([log.flushes, log.length < 28 || log.bytes()[0] === 0 ? 0 : await counted(log)])
  }
  expect(seen).toEqual([
    [0, 0],
    [0, 0],
    [1, 3],
    [1, 3],
    [1, 3],
    [2, 6],
    [2, 6],
  ])
})

test('and after every flush; a flush without a write before it is none', async () => {
  const log = new MemoryStore()
  const disk = await openLogged(new MemoryStore(4096), log)
  await disk.flush()
  expect(log.length).toBe(0)
  await disk.write(0, filled(1, 512))
  await disk.flush()
  await disk.flush()
  expect(await story(log.bytes())).toEqual(['write 0+512', 'flush'])
})

test('an entry that failed is overwritten by the next', async () => {
  const log = new FailingStore()
  const disk = await openLogged(new MemoryStore(4096), log)
  log.writeFails = 'ENOSPC'
  await expect(disk.write(0, filled(1, 1024))).rejects.toMatchObject({ code: 'ENOSPC' })
  log.zeroFails = 'EIO'
  await expect(disk.writeZeroes(0, 512)).rejects.toMatchObject({ code: 'EIO' })
  await disk.write(512, filled(2, 512))
  await disk.flush()
  expect(await story(log.bytes())).toEqual(['write 512+512', 'flush'])
})

test('a superblock that could not be flushed is tried again', async () => {
  const log = new FailingStore()
  const disk = await openLogged(new MemoryStore(4096), log)
  await disk.write(0, filled(1, 512))
  log.flushFails = 'EIO'
  await expect(disk.flush()).rejects.toMatchObject({ code: 'EIO' })
  await disk.flush()
  expect(await story(log.bytes())).toEqual(['write 0+512', 'flush', 'flush'])
})
