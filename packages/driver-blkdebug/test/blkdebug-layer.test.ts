/** Proves error injection for every kind of request, limits as the core meets them, and the layer's own refusals. */

import { AssertionError } from '@blocklayer/block-core'
import type { Child } from '@blocklayer/block-core/driver'
import { describe, expect, test } from 'vitest'
import { BlkdebugLayer } from '../src/blkdebug-layer.ts'
import { debugSupport } from '../src/events.ts'
import { RuleMachine } from '../src/rules.ts'
import { Breakpoints } from '../src/suspend.ts'
import { openDebugged, outcome, rule } from './support.ts'

const KiB = 1024

describe('every kind of request can fail', () => {
  test.each([
    ['read', ['EIO', 'ok', 'ok', 'ok', 'ok', 'ok']],
    ['write', ['ok', 'EIO', 'ok', 'ok', 'ok', 'ok']],
    ['write-zeroes', ['ok', 'ok', 'EIO', 'ok', 'ok', 'ok']],
    ['discard', ['ok', 'ok', 'ok', 'EIO', 'ok', 'ok']],
    ['flush', ['ok', 'ok', 'ok', 'ok', 'EIO', 'ok']],
    ['block-status', ['ok', 'ok', 'ok', 'ok', 'ok', 'EIO']],
  ])('%s', async (iotype, expected) => {
    const { disk } = await openDebugged({ injectError: [rule({ event: 'none', iotype })] })
    expect([
      await outcome(disk.read(0, new Uint8Array(512))),
      await outcome(disk.write(0, new Uint8Array(512))),
      await outcome(disk.writeZeroes(0, 4096)),
      await outcome(disk.discard(0, 4096)),
      await outcome(disk.flush()),
      await outcome(disk.blockStatus(0, 512)),
    ]).toEqual(expected)
    // Closing flushes, and here it must be able to fail.
    if (iotype === 'flush') await expect(disk.close()).rejects.toMatchObject({ code: 'EIO' })
  })
})

describe('the reference manual', () => {
  test('fail the second guest write', async () => {
    const { disk } = await openDebugged({
      setState: [rule({ event: 'write_aio', state: 1, new_state: 2 })],
      injectError: [rule({ event: 'write_aio', state: 2, errno: 28, once: true })],
    })
    const write = (): Promise<string> => outcome(disk.write(0, new Uint8Array(512)))
    expect([await write(), await write(), await write()]).toEqual(['ok', 'ENOSPC', 'ok'])
  })

  test('a sector is compared with the request as it arrives', async () => {
    const { disk } = await openDebugged({ injectError: [rule({ event: 'none', iotype: 'read', sector: 8 })] })
    const read = (offset: number, bytes: number): Promise<string> => outcome(disk.read(offset, new Uint8Array(bytes)))
    expect([await read(0, 4096), await read(4096, 1), await read(4608, 512)]).toEqual(['ok', 'EIO', 'ok'])
  })

  test('"immediately" fails without giving others a turn', async () => {
    const turns = async (immediately: boolean): Promise<boolean> => {
      const { disk } = await openDebugged({ injectError: [rule({ event: 'none', iotype: 'read', immediately })] })
      let turned = false
      setTimeout(() => {
        turned = true
      }, 0)
      await outcome(disk.read(0, new Uint8Array(512)))
      return turned
    }
    expect([await turns(true), await turns(false)]).toEqual([false, true])
  })
})

describe('limits', () => {
  test('reads are widened and split', async () => {
    const { disk, store } = await openDebugged({ align: 4096, maxTransfer: 8192 }, { bare: true })
    store.write(0, new Uint8Array(0x10_0000).fill(7))
    const into = new Uint8Array(100_000)
    await disk.read(1000, into)
    expect(into.every((byte) => byte === 7)).toBe(true)
    await disk.write(5000, into.fill(8))
    expect([store.bytes()[4999], store.bytes()[5000], store.bytes()[104_999], store.bytes()[105_000]]).toEqual([
      7, 8, 8, 7,
    ])
  })

  // Edges and all: three requests would meet the rule three times.
  test('several buffers stay one request', async () => {
    const once = { event: 'none', iotype: 'write', once: true } as const
    const { disk, store } = await openDebugged({ align: 512, injectError: [rule(once), rule(once)] })
    const parts = (value: number): Uint8Array[] => [100, 5000, 7].map((length) => new Uint8Array(length).fill(value))
    const write = (value: number): Promise<string> => outcome(disk.write(100, parts(value)))
    expect([await write(3), await write(4), await write(5)]).toEqual(['EIO', 'EIO', 'ok'])
    expect(
      store
        .bytes()
        .subarray(100, 5207)
        .every((byte) => byte === 5),
    ).toBe(true)
    const into = parts(0)
    expect(await outcome(disk.read(100, into))).toBe('ok')
    expect(into.every((part) => part.every((byte) => byte === 5))).toBe(true)
  })

  // Observed: data 512..4095, zero 4096+8192, zero 12288+8192, data 20480+512.
  test('edges of zero writes come back as data', async () => {
    const rules = {
      optWriteZero: 4096,
      maxWriteZero: 8192,
      injectError: [rule({ event: 'none', iotype: 'write', sector: 1 })],
    }
    const { disk, store } = await openDebugged(rules, { bare: true })
    store.write(0, new Uint8Array(65536).fill(7))
    expect(await outcome(disk.writeZeroes(512, 20 * KiB))).toBe('EIO')
    expect(await outcome(disk.writeZeroes(4096, 16_896))).toBe('ok')
    expect(store.bytes().subarray(4096, 20_992)).toEqual(new Uint8Array(16_896))
    expect(store.bytes()[20_992]).toBe(7)
  })
})

/** A layer over a child that takes everything; requests come without a core that would put them right. */
function bareLayer(limits: Partial<BlkdebugLayer['limits']>): BlkdebugLayer {
  const rules = new RuleMachine({ injectError: [], setState: [] })
  const debug = debugSupport(rules, new Breakpoints(() => {}))
  const image = { length: 1 << 20, write: async () => {}, writeZeroes: async () => {}, discard: async () => {} }
  const parts = { rules, debug, limits, take: 2, unshare: 8, namePrefix: undefined }
  return new BlkdebugLayer({ ...parts, image: image as unknown as Child })
}

test('a request that breaks the limits is a bug of ours', async () => {
  const layer = bareLayer({
    requestAlignment: 512,
    maxTransfer: 1024,
    zeroAlignment: 1024,
    maxZeroes: 2048,
    maxDiscard: 512,
  })
  const { writer } = layer
  const flags = { mayUnmap: false, noFallback: false, fua: false }
  await expect(layer.read(1, new Uint8Array(512))).rejects.toThrow(AssertionError)
  await expect(layer.read(0, new Uint8Array(511))).rejects.toThrow('511 bytes are not a multiple of 512')
  await expect(writer.write(0, new Uint8Array(2048), flags)).rejects.toThrow(
    'a write of 2048 bytes is longer than 1024',
  )
  await expect(writer.writeZeroes?.(512, 1024, flags)).rejects.toThrow('offset 512 is not a multiple of 1024')
  await expect(writer.writeZeroes?.(0, 4096, flags)).rejects.toThrow('longer than 2048')
  await expect(writer.writeZeroes?.(0, 512, flags)).rejects.toMatchObject({ code: 'ENOTSUP' })
  await expect(writer.discard?.(0, 100)).rejects.toMatchObject({ code: 'ENOTSUP' })
  await expect(writer.discard?.(0, 1024)).rejects.toThrow('longer than 512')
  await writer.discard?.(0, 512)
})

test('permissions are added and taken away', () => {
  expect(bareLayer({}).childPermissions('image', { taken: 1, shared: 15 })).toEqual({ taken: 3, shared: 7 })
})

test('nobody knows how much space it takes', async () => {
  expect(await bareLayer({}).allocatedBytes()).toBeUndefined()
})

test('a plain name needs a plain image', () => {
  const nameOver = (filename: string, namePrefix: string | undefined): string | undefined => {
    const rules = new RuleMachine({ injectError: [], setState: [] })
    const debug = debugSupport(rules, new Breakpoints(() => {}))
    const image = { node: { filename } } as unknown as Child
    return new BlkdebugLayer({ rules, debug, image, limits: {}, take: 0, unshare: 0, namePrefix }).exactFilename()
  }
  expect(nameOver('i.q', 'blkdebug::')).toBe('blkdebug::i.q')
  expect(nameOver('blkdebug:c:i.q', 'blkdebug:d:')).toBe('blkdebug:d:blkdebug:c:i.q')
  expect(nameOver('json:{}', 'blkdebug::')).toBeUndefined()
  expect(nameOver('', 'blkdebug::')).toBeUndefined()
  expect(nameOver('i.q', undefined)).toBeUndefined()
})
