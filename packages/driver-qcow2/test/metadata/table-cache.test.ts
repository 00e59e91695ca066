/** Proves that cached tables are found, evicted oldest first, and written back in the declared order. */

import { beforeEach, expect, test } from 'vitest'
import type { TableCache } from '../../src/metadata/table-cache.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, type OpenedOn, openOn } from '../helpers/open-on.ts'

const entry = 4096
let file: MemoryChild
let opened: OpenedOn
let l2: TableCache
let refblocks: TableCache

beforeEach(async () => {
  file = new MemoryChild(await newImage(64 * 1024 * 1024, { clusterSize: entry }))
  await file.truncate(1024 * 1024)
  opened = await openOn(file, { options: { l2CacheSize: 3 * entry, l2CacheEntrySize: entry } })
  l2 = opened.image.caches.l2Tables
  refblocks = opened.image.caches.refblocks
  file.log.length = 0
})

const at = (number: number): number => 64 * 1024 + number * entry

/** Loads a table, changes its first byte and marks it. */
async function change(cache: TableCache, offset: number, value: number): Promise<void> {
  const slot = await cache.load(offset)
  cache.bytes[cache.start(slot)] = value
  cache.markDirty(slot)
}

/** Writes and flushes since the log was cleared, as `W<offset>` and `F`. */
function requests(): string[] {
  return file.log.flatMap(({ kind, offset }) => (kind === 'write' ? [`W${offset}`] : kind === 'flush' ? ['F'] : []))
}

test('a table is read once and found again', async () => {
  expect(l2.peek(at(0))).toBe(-1)
  const slot = await l2.load(at(0))
  expect([await l2.load(at(0)), l2.peek(at(0)), l2.offsetOf(slot)]).toEqual([slot, slot, at(0)])
  expect([l2.entryCount, l2.entrySize, l2.bytes.length, l2.view.byteLength]).toEqual([3, entry, 3 * entry, 3 * entry])
  expect(file.log.filter(({ event }) => event === 'l2_load')).toHaveLength(1)
})

test('the least recently used table goes, written back if it was changed', async () => {
  await change(l2, at(0), 1)
  await l2.load(at(1))
  await l2.load(at(2))
  await l2.load(at(0))
  await l2.load(at(3))
  expect([l2.peek(at(0)), l2.peek(at(1))].map((slot) => slot >= 0)).toEqual([true, false])
  expect(requests()).toEqual([])
  await l2.load(at(4))
  await l2.load(at(3))
  await l2.load(at(5))
  expect(l2.peek(at(0))).toBe(-1)
  expect(requests()).toEqual([`W${at(0)}`])
  expect(file.content[at(0)]).toBe(1)
})

test('an entry waits for another cache, and for a flush', async () => {
  await change(refblocks, at(8), 1)
  await change(l2, at(0), 2)
  await l2.dependOn(refblocks)
  await l2.store()
  expect(requests()).toEqual([`W${at(8)}`, 'F', `W${at(0)}`])

  file.log.length = 0
  await change(l2, at(0), 3)
  l2.dependOnFlush()
  await l2.store()
  expect(requests()).toEqual(['F', `W${at(0)}`])
})

test('two caches never wait for each other', async () => {
  await change(refblocks, at(8), 1)
  await change(l2, at(0), 2)
  await l2.dependOn(refblocks)
  await refblocks.dependOn(l2)
  // What the L2 tables waited for was made durable; now the refcount blocks wait for them.
  expect(requests()).toEqual([`W${at(8)}`, 'F'])
  await change(refblocks, at(8), 4)
  await refblocks.store()
  expect(requests()).toEqual([`W${at(8)}`, 'F', `W${at(0)}`, 'F', `W${at(8)}`])
})

test('storing goes on after an error and reports no space before all else', async () => {
  await change(l2, at(0), 1)
  await change(l2, at(1), 2)
  await change(l2, at(2), 3)
  file.fail = ({ kind, offset }) => {
    if (kind !== 'write') return undefined
    return offset === at(0) ? 'ENOSPC' : offset === at(1) ? 'EIO' : undefined
  }
  expect(await failureOf(() => l2.store())).toBe('ENOSPC No space left on device')
  expect(file.content[at(2)]).toBe(3)
  file.fail = () => undefined
  await l2.flush()
  expect([file.content[at(0)], file.content[at(1)], l2.isDirty]).toEqual([1, 2, false])
})

test('a table that could not be read is not in the cache', async () => {
  file.fail = ({ kind }) => (kind === 'read' ? 'EIO' : undefined)
  expect(await failureOf(() => l2.load(at(0)))).toBe('EIO Input/output error')
  expect(l2.peek(at(0))).toBe(-1)
})

test('a forgotten table is not written', async () => {
  await change(l2, at(0), 1)
  l2.forget(at(0))
  l2.forget(at(1))
  await l2.flush()
  expect(requests()).toEqual(['F'])
})

test('an empty slot takes what the caller fills in', async () => {
  file.fail = ({ kind }) => (kind === 'read' ? 'EIO' : undefined)
  const slot = await l2.loadEmpty(at(0))
  expect(await l2.loadEmpty(at(0))).toBe(slot)
})

test('emptying and resizing write back first', async () => {
  await change(l2, at(0), 1)
  await l2.empty()
  expect([l2.peek(at(0)), file.content[at(0)]]).toEqual([-1, 1])
  await change(l2, at(1), 2)
  await l2.resize(8, 1024)
  await l2.resize(8, 1024)
  expect([l2.entryCount, l2.entrySize, file.content[at(1)]]).toEqual([8, 1024, 2])
})

test('durability is announced after flushes, to whom it concerns', async () => {
  let told = 0
  l2.onDurable(async () => {
    told++
  })
  await l2.store()
  expect(told).toBe(0)
  await l2.flush()
  await l2.announceDurable()
  expect(told).toBe(2)
})

test('an unaligned offset is corruption', async () => {
  expect(await failureOf(() => l2.load(at(0) + 512))).toBe('EIO Input/output error')
  expect(opened.lines).toEqual([
    'qcow2: Marking image as corrupt: Cannot get entry from L2 table cache: Offset 0x10200 is unaligned; further ' +
      'corruption events will be suppressed',
  ])
  expect(opened.ejected()).toBe(true)
})

test('what is clean and was not used since the last time is dropped; the rest stays', async () => {
  await change(l2, at(0), 1)
  await l2.load(at(1))
  await change(l2, at(2), 3)
  await l2.store()
  await change(l2, at(0), 2)
  l2.dropUnused()
  expect([l2.peek(at(0)), l2.peek(at(1)), l2.peek(at(2))].every((slot) => slot >= 0)).toBe(true)
  l2.dropUnused()
  l2.peek(at(2))
  const before = l2.bytes
  l2.dropUnused()
  expect(l2.bytes).not.toBe(before)
  expect(l2.peek(at(1))).toBe(-1)
  const dirty = l2.peek(at(0))
  const used = l2.peek(at(2))
  expect([l2.bytes[l2.start(dirty)], l2.view.getUint8(l2.start(used))]).toEqual([2, 3])
  await l2.store()
  expect(file.content[at(0)]).toBe(2)
  // Nothing to drop: the memory stays where it is.
  const same = l2.bytes
  l2.dropUnused()
  expect(l2.bytes).toBe(same)
})
