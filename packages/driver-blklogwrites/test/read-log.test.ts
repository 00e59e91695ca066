/** Proves what a reader sees of each kind of entry, marks of other writers included, and that a replay makes the same disk. */

import { createBlockGraph } from '@blocklayer/block-core'
import { filled, MemoryStore, memory, stamped } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { encodeEntry, encodeSuperblock } from '../src/format.ts'
import { readLog, replayEntry } from '../src/index.ts'
import { entriesOf, openLogged } from './support.ts'

test('every entry that we write', async () => {
  const [disk, log] = [new MemoryStore(65536), new MemoryStore()]
  const logged = await openLogged(disk, log)
  await logged.write(512, stamped(0, 1024))
  await logged.writeZeroes(4096, 512)
  await logged.discard(0, 2048)
  await logged.flush()
  await logged.close()
  const entries = await entriesOf(log.bytes())
  const plain = { flush: false, fua: false, text: '' }
  expect(entries).toMatchObject([
    { ...plain, index: 0, kind: 'write', offset: 512, bytes: 1024 },
    { ...plain, index: 1, kind: 'write', offset: 4096, bytes: 512 },
    { ...plain, index: 2, kind: 'discard', offset: 0, bytes: 2048 },
    { ...plain, index: 3, kind: 'flush', offset: 0, bytes: 0, flush: true },
  ])
  const data = await Promise.all(entries.map((entry) => entry.data()))
  expect(data).toEqual([stamped(0, 1024), filled(0, 512), new Uint8Array(0), new Uint8Array(0)])
})

test('entries that only others write: durable writes, and marks with a text', async () => {
  const sectorSize = 128
  const bytes = new Uint8Array(5 * sectorSize)
  bytes.set(encodeSuperblock({ entryCount: 3, sectorSize }), 0)
  bytes.set(encodeEntry({ sector: 3, sectorCount: 1, flags: 3 }, sectorSize), sectorSize)
  bytes.fill(7, 2 * sectorSize, 3 * sectorSize)
  const text = new TextEncoder().encode('mkfs done')
  const mark = encodeEntry({ sector: 0, sectorCount: 0, flags: 8 }, sectorSize)
  mark[24] = text.length
  mark.set(text, 32)
  bytes.set(mark, 3 * sectorSize)
  // A length that would leave the sector.
  bytes.set(mark, 4 * sectorSize)
  bytes[4 * sectorSize + 25] = 1
  const [write, first, second] = await entriesOf(bytes)
  expect(write).toMatchObject({ kind: 'write', offset: 384, bytes: 128, flush: true, fua: true, text: '' })
  expect(await write?.data()).toEqual(filled(7, sectorSize))
  expect(first).toMatchObject({ kind: 'mark', offset: 0, bytes: 0, text: 'mkfs done' })
  expect(second?.text).toHaveLength(96)
  expect(await first?.data()).toEqual(new Uint8Array(0))
})

test('an open disk is a source too, and what is behind the last entry is not read', async () => {
  const log = new MemoryStore()
  const logged = await openLogged(new MemoryStore(4096), log)
  await logged.write(0, filled(1, 512))
  await logged.close()
  log.write(log.length, filled(0xff, 5000))
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const { sectorSize, entryCount, entries } = await readLog(await graph.open(memory(log)))
  expect({ sectorSize, entryCount }).toEqual({ sectorSize: 512, entryCount: 2 })
  const kinds: string[] = []
  for await (const { kind } of entries()) kinds.push(kind)
  expect(kinds).toEqual(['write', 'flush'])
})

test('bytes that are no log', async () => {
  await expect(readLog(new Uint8Array(512))).rejects.toMatchObject({ message: 'Invalid log superblock magic' })
  await expect(readLog(new Uint8Array(5))).rejects.toMatchObject({
    message: 'Could not read log superblock: Input/output error',
  })
})

test('a target without discard keeps what was there', async () => {
  const target = new MemoryStore(filled(5, 1024))
  const log = new MemoryStore()
  const logged = await openLogged(new MemoryStore(1024), log)
  await logged.discard(0, 512)
  await logged.write(512, filled(6, 512))
  await logged.close()
  const { entries } = await readLog(log.bytes())
  for await (const entry of entries()) await replayEntry(entry, { write: (offset, data) => target.write(offset, data) })
  expect(target.bytes()).toEqual(new Uint8Array([...filled(5, 512), ...filled(6, 512)]))
})
