/** Proves votes on reads, thresholds of writes and flushes, repair, and what is told of each copy that went wrong. */

import { hostBytesOf, permissionsOf, readsZeroWhenNew, reopenReadOnly } from '@blocklayer/block-core'
import { filled, stamped } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { openQuorum, readAt } from './support.ts'

const KiB = 1024
const [a, b, c] = [filled(1, KiB), filled(2, KiB), filled(3, KiB)]
const bad = (index: number, type: string, error?: string) => ({
  event: 'QUORUM_REPORT_BAD',
  type,
  nodeName: `copy${index}`,
  error,
})
const failure = { event: 'QUORUM_FAILURE', reference: 'quorum' }

describe('reads', () => {
  test('the majority is believed, the others are reported', async () => {
    const { disk, events, stores } = await openQuorum([a, b, a])
    expect(await readAt(disk, 100, 512)).toEqual(filled(1, 512))
    expect(events).toEqual([{ ...bad(1, 'read'), sectorNumber: 0, sectorCount: 2 }])
    expect(stores[1]?.bytes()).toEqual(b)
  })

  test('into several buffers', async () => {
    const { disk, events } = await openQuorum([stamped(0, KiB), stamped(0, KiB), b])
    const into = [new Uint8Array(3), new Uint8Array(0), new Uint8Array(500)]
    await disk.read(8, into)
    expect(new Uint8Array([...into[0]!, ...into[2]!])).toEqual(stamped(8, 512).subarray(0, 503))
    expect(events).toHaveLength(1)
  })

  test('only what differs in the range counts', async () => {
    const { disk, events, stores } = await openQuorum([a, a, a])
    stores[0]?.write(600, Uint8Array.of(9))
    await readAt(disk, 0, 600)
    expect(events).toEqual([])
  })

  test('too few agree', async () => {
    const { disk, events } = await openQuorum([a, b, c])
    await expect(readAt(disk, 0, 512)).rejects.toMatchObject({ code: 'EIO', message: 'Input/output error' })
    expect(events).toMatchObject([failure])
  })

  test('one is enough where one vote is', async () => {
    const { disk, events } = await openQuorum([a, b, c], { voteThreshold: 1 })
    expect(await readAt(disk, 0, 1)).toEqual(filled(3, 1))
    expect(events).toMatchObject([bad(0, 'read'), bad(1, 'read')])
  })

  test('copies that fail do not vote', async () => {
    const { disk, events, stores } = await openQuorum([a, a, a])
    stores[2]!.readFails = 'ENOSPC'
    expect(await readAt(disk, 0, 1)).toEqual(filled(1, 1))
    expect(events).toMatchObject([bad(2, 'read', 'No space left on device')])
    stores[1]!.readFails = 'ENOSPC'
    await expect(readAt(disk, 0, 1)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(events.at(-1)).toMatchObject(failure)
    stores[0]!.readFails = 'EIO'
    await expect(readAt(disk, 0, 1)).rejects.toMatchObject({ code: 'ENOSPC' })
    stores[1]!.readFails = 'ENOMEM'
    await expect(readAt(disk, 0, 1)).rejects.toMatchObject({ code: 'ENOSPC' })
  })
})

describe('rewrite-corrupted', () => {
  test('gives the content that won to those that had another', async () => {
    const { disk, events, stores } = await openQuorum([a, b, a], { rewriteCorrupted: true })
    expect(await readAt(disk, 0, 512)).toEqual(filled(1, 512))
    expect(stores[1]?.bytes()).toEqual(new Uint8Array([...filled(1, 512), ...filled(2, 512)]))
    expect(events).toMatchObject([bad(1, 'read')])
    await readAt(disk, 0, 512)
    expect(events).toHaveLength(1)
  })

  test('leaves alone those that could not be read', async () => {
    const { disk, events, stores } = await openQuorum([a, b, a, a], { rewriteCorrupted: true })
    stores[3]!.readFails = 'EIO'
    stores[3]!.writeFails = 'EIO'
    await readAt(disk, 0, 512)
    expect(events).toMatchObject([bad(3, 'read', 'Input/output error'), bad(1, 'read')])
  })

  test('tells of a copy that cannot be mended, and gives the data', async () => {
    const { disk, events, stores } = await openQuorum([a, b, a], { rewriteCorrupted: true })
    stores[1]!.writeFails = 'ENOSPC'
    expect(await readAt(disk, 0, 512)).toEqual(filled(1, 512))
    expect(events).toMatchObject([bad(1, 'read'), bad(1, 'write', 'No space left on device')])
  })

  test('mends nothing where nobody wins', async () => {
    const { disk, stores } = await openQuorum([a, b, c], { rewriteCorrupted: true })
    await expect(readAt(disk, 0, 512)).rejects.toMatchObject({ code: 'EIO' })
    expect(stores.map((store) => store.bytes())).toEqual([a, b, c])
  })

  test('needs to write', async () => {
    const opened = openQuorum([a, a], { rewriteCorrupted: true }, { open: { readOnly: true } })
    await expect(opened).rejects.toMatchObject({ message: 'Block node is read-only' })
  })
})

test('fifo asks the next copy only where the one before failed', async () => {
  const { disk, events, stores } = await openQuorum([a, b, c], { readPattern: 'fifo' })
  expect(await readAt(disk, 0, 1)).toEqual(filled(1, 1))
  expect(events).toEqual([])
  stores[0]!.readFails = 'EIO'
  expect(await readAt(disk, 0, 1)).toEqual(filled(2, 1))
  stores[1]!.readFails = 'ENOSPC'
  stores[2]!.readFails = 'ENOMEM'
  events.length = 0
  await expect(readAt(disk, 0, 1)).rejects.toMatchObject({ code: 'ENOMEM' })
  expect(events).toMatchObject([
    bad(0, 'read', 'Input/output error'),
    bad(1, 'read', 'No space left on device'),
    bad(2, 'read', 'Cannot allocate memory'),
  ])
})

test('blkverify fails the read that shows a difference, and says where', async () => {
  const { disk, lines, stores } = await openQuorum([a, a], { blkverify: true })
  stores[1]?.write(700, Uint8Array.of(9))
  await readAt(disk, 0, 512)
  const message = 'quorum: offset=512 bytes=512 contents mismatch at offset 700'
  await expect(readAt(disk, 512, 512)).rejects.toMatchObject({ code: 'EIO', message })
  expect(lines).toEqual([message])
})

describe('writes', () => {
  test('go to all', async () => {
    const { disk, stores } = await openQuorum([KiB, KiB, KiB])
    await disk.write(100, stamped(0, 512))
    await disk.write(700, [filled(1, 10), filled(2, 20)], { fua: true })
    await disk.writeZeroes(200, 100)
    const [first, ...others] = stores.map((store) => store.bytes())
    for (const other of others) expect(other).toEqual(first)
    expect(first?.subarray(708, 712)).toEqual(Uint8Array.of(1, 1, 2, 2))
    expect(stores.map((store) => store.flushes)).toEqual([1, 1, 1])
  })

  test('succeed where enough copies took them', async () => {
    const { disk, events, stores } = await openQuorum([KiB, KiB, KiB])
    stores[0]!.writeFails = 'ENOSPC'
    await disk.write(1000, filled(1, 24))
    expect(events).toEqual([{ ...bad(0, 'write', 'No space left on device'), sectorNumber: 1, sectorCount: 1 }])
    stores[1]!.writeFails = 'ENOSPC'
    stores[2]!.writeFails = 'EIO'
    await expect(disk.write(0, filled(1, 24))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(events.at(-1)).toMatchObject(failure)
  })

  test('of zeroes: where one copy has zeroed, those that have to write data for it do', async () => {
    const below = (index: number) => ({ zeroes: index !== 1 })
    const { disk, events, stores } = await openQuorum([a, a, a], {}, { below })
    await disk.writeZeroes(0, 512, { noFallback: true })
    for (const store of stores) expect(store.bytes().subarray(0, 512)).toEqual(filled(0, 512))
    expect(events).toEqual([])
  })

  test('of zeroes: where none can, nothing is written', async () => {
    const { disk, stores } = await openQuorum([a, a], {}, { below: () => ({ zeroes: false }) })
    await expect(disk.writeZeroes(0, 512, { noFallback: true })).rejects.toMatchObject({ code: 'ENOTSUP' })
    expect(stores.map((store) => store.bytes())).toEqual([a, a])
  })

  test('discards reach no copy', async () => {
    const { disk, stores } = await openQuorum([a, a], {}, { open: { unmap: true } })
    await disk.discard(0, KiB)
    expect(stores[0]?.bytes()).toEqual(a)
  })
})

test('a flush succeeds where enough copies are durable', async () => {
  const { disk, events, stores } = await openQuorum([KiB, KiB, KiB])
  await disk.write(0, filled(1, 1))
  stores[0]!.flushFails = 'ENOSPC'
  await disk.flush()
  expect(events).toEqual([{ ...bad(0, 'flush', 'No space left on device'), sectorNumber: 0, sectorCount: 0 }])
  stores[1]!.flushFails = 'ENOSPC'
  await disk.write(0, filled(1, 1))
  await expect(disk.flush()).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(events.some(({ event }) => event === 'QUORUM_FAILURE')).toBe(false)
})

test('what the node says of itself', async () => {
  const { disk } = await openQuorum([KiB, KiB])
  expect(disk.length).toBe(KiB)
  expect(await hostBytesOf(disk.root)).toBeUndefined()
  expect(await readsZeroWhenNew(disk.root)).toBe(false)
  expect(await disk.blockStatus(0, KiB)).toMatchObject({ data: true, zero: false, hostOffset: undefined })
  await expect(disk.truncate(2 * KiB)).rejects.toMatchObject({ message: 'Image format driver does not support resize' })
  await expect(reopenReadOnly(disk.root, true)).rejects.toMatchObject({
    message: "Block format 'quorum' used by node 'quorum' does not support reopening files",
  })
})

// As x-debug-query-block-graph shows it, for writers and for a reader whose quorum mends.
test('nobody else may write to a copy, or resize it', async () => {
  const writer = await openQuorum([KiB, KiB])
  for (const copy of writer.disk.root.children.values()) expect(permissionsOf(copy)).toEqual({ taken: 3, shared: 5 })
  const mending = await openQuorum([KiB, KiB], { rewriteCorrupted: true })
  await mending.disk.close()
})
