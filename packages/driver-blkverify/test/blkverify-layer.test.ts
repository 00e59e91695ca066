/** Proves that both copies get every write, that every difference fails the request and is told, and nothing else does. */

import { hostBytesOf, permissionsOf, readsZeroWhenNew, reopenReadOnly } from '@blocklayer/block-core'
import { filled, MemoryStore, stamped } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { FailingStore, openVerified } from './support.ts'

const KiB = 1024

describe('copies that are equal', () => {
  test('get the same writes, zeroes as data', async () => {
    const [raw, image] = [new MemoryStore(64 * KiB), new MemoryStore(64 * KiB)]
    const { disk, lines } = await openVerified(raw, image, { unmap: true })
    await disk.write(100, stamped(0, 5000))
    await disk.write(20_000, [filled(1, 10), filled(2, 20)])
    await disk.writeZeroes(200, 300)
    await disk.discard(0, 4096)
    expect(raw.bytes()).toEqual(image.bytes())
    expect(raw.bytes().subarray(500, 508)).toEqual(stamped(0, 5000).subarray(400, 408))
    const back = new Uint8Array(64 * KiB)
    await disk.read(0, back)
    expect(back).toEqual(image.bytes())
    back.fill(0)
    await disk.read(0, [back.subarray(0, 1000), back.subarray(1000)])
    expect(back).toEqual(image.bytes())
    expect(lines).toEqual([])
    await expect(disk.writeZeroes(0, 512, { noFallback: true })).rejects.toMatchObject({ code: 'ENOTSUP' })
  })

  test('are both flushed', async () => {
    const [raw, image] = [new MemoryStore(KiB), new MemoryStore(KiB)]
    const { disk } = await openVerified(raw, image)
    await disk.write(0, filled(1, 1), { fua: true })
    expect([raw.flushes, image.flushes]).toEqual([1, 1])
  })

  test('change their lengths together', async () => {
    const [raw, image] = [new MemoryStore(KiB), new MemoryStore(KiB)]
    const { disk } = await openVerified(raw, image)
    await disk.truncate(4 * KiB)
    expect([raw.length, image.length, disk.length]).toEqual([4 * KiB, 4 * KiB, 4 * KiB])
  })

  test('fail alike: then that is the error, and no difference', async () => {
    const [raw, image] = [new FailingStore(KiB), new FailingStore(KiB)]
    const { disk, lines } = await openVerified(raw, image)
    raw.readFails = image.readFails = 'ENOMEM'
    raw.writeFails = image.writeFails = 'ENOSPC'
    await expect(disk.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'ENOMEM' })
    await expect(disk.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(lines).toEqual([])
  })
})

describe('copies that differ', () => {
  const mismatch = 'blkverify: read offset=512 bytes=512 contents mismatch at offset 700'

  test('fail the read that shows it, and only that', async () => {
    const [raw, image] = [new MemoryStore(KiB), new MemoryStore(KiB)]
    raw.write(700, Uint8Array.of(1))
    const { disk, lines } = await openVerified(raw, image)
    await disk.read(0, new Uint8Array(700))
    await expect(disk.read(512, new Uint8Array(512))).rejects.toMatchObject({ code: 'EIO', message: mismatch })
    expect(lines).toEqual([mismatch])
    await disk.write(700, Uint8Array.of(2))
    await disk.read(0, new Uint8Array(KiB))
    expect(lines).toHaveLength(1)
  })

  test('in what they answer fail the request', async () => {
    const [raw, image] = [new FailingStore(KiB), new FailingStore(KiB)]
    const { disk, lines } = await openVerified(raw, image)
    raw.readFails = 'ENOSPC'
    await expect(disk.read(0, new Uint8Array(512))).rejects.toMatchObject({
      code: 'EIO',
      message: 'blkverify: read offset=0 bytes=512 return value mismatch 0 != -28',
      cause: { code: 'ENOSPC' },
    })
    image.writeFails = 'EIO'
    await expect(disk.write(0, new Uint8Array(512))).rejects.toMatchObject({
      code: 'EIO',
      message: 'blkverify: write offset=0 bytes=512 return value mismatch -5 != 0',
    })
    expect(lines).toHaveLength(2)
  })

  test('one of them is not durable: the flush fails', async () => {
    const [raw, image] = [new FailingStore(KiB), new FailingStore(KiB)]
    const { disk } = await openVerified(raw, image)
    await disk.write(0, new Uint8Array(512))
    raw.flushFails = 'ENOSPC'
    await expect(disk.flush()).rejects.toMatchObject({ code: 'ENOSPC' })
    raw.flushFails = undefined
    await disk.flush()
  })

  test('in length read as zeroes past the end of the raw copy', async () => {
    const { disk } = await openVerified(new MemoryStore(KiB), new MemoryStore(2 * KiB))
    expect(disk.length).toBe(2 * KiB)
    await disk.read(0, new Uint8Array(2 * KiB))
    const longer = await openVerified(new MemoryStore(4 * KiB), new MemoryStore(KiB))
    expect(longer.disk.length).toBe(KiB)
  })
})

test('what the node says of itself', async () => {
  const { disk } = await openVerified(new MemoryStore(KiB), new MemoryStore(KiB))
  expect(await hostBytesOf(disk.root)).toBeUndefined()
  expect(await readsZeroWhenNew(disk.root)).toBe(true)
  expect(await disk.blockStatus(0, KiB)).toMatchObject({ data: true, bytes: KiB })
  await expect(reopenReadOnly(disk.root, true)).rejects.toMatchObject({
    message: `Block format 'blkverify' used by node '${disk.root.nodeName}' does not support reopening files`,
  })
})

// As x-debug-query-block-graph shows it: the tested image may be resized, the raw copy is used as the node is.
test('permissions on the copies', async () => {
  const { disk } = await openVerified(new MemoryStore(KiB), new MemoryStore(KiB), { share: 7 })
  const [raw, image] = ['raw', 'test'].map((name) => disk.root.children.get(name)!)
  expect(permissionsOf(raw!)).toEqual({ taken: 3, shared: 7 })
  expect(permissionsOf(image!)).toEqual({ taken: 11, shared: 7 })
})
