/** Proves that requests land at the window's place and nowhere else, and what is announced, resized and refused. */

import type { BlkdebugEvent } from '@blocklayer/block-core/driver'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { RawLayer } from '../src/raw-layer.ts'
import { raw } from '../src/index.ts'
import { counting, newGraph, openHeard, openRaw } from './support.ts'

describe('without a window', () => {
  test('guest bytes are file bytes', async () => {
    const store = new MemoryStore(counting(4096))
    const disk = await openRaw(store)
    const into = new Uint8Array(300)
    await disk.read(100, into)
    expect(into).toEqual(counting(4096).subarray(100, 400))
    await disk.write(1000, Uint8Array.of(9, 8, 7))
    await disk.writeZeroes(2000, 100)
    expect(store.bytes().subarray(999, 1004)).toEqual(Uint8Array.of(231, 9, 8, 7, 235))
    expect(store.bytes().subarray(2000, 2100)).toEqual(new Uint8Array(100))
    // The node says what its file says, and memory says nothing.
    expect(disk.info).toEqual({})
  })

  test('several buffers reach the file as they are, at the window’s place', async () => {
    const store = new MemoryStore(counting(65536))
    const disk = await openRaw(store, { offset: 512, size: 32768 })
    const parts = [new Uint8Array(300).fill(1), new Uint8Array(4096).fill(2)]
    await disk.write(100, parts)
    expect(store.bytes().subarray(612, 912)).toEqual(parts[0])
    expect(store.bytes().subarray(912, 5008)).toEqual(parts[1])
    const into = [new Uint8Array(300), new Uint8Array(4096)]
    await disk.read(100, into)
    expect(into).toEqual(parts)
  })

  test('the end of the file is the end of the disk, in whole sectors', async () => {
    const store = new MemoryStore(counting(1000))
    const disk = await openRaw(store)
    expect(disk.length).toBe(1024)
    await disk.truncate(2048)
    expect(store.length).toBe(2048)
    expect(disk.length).toBe(2048)
  })

  test('reads and data writes are announced, zeroes and discards are not', async () => {
    const heard: BlkdebugEvent[] = []
    const disk = await openHeard(new MemoryStore(4096), heard)
    // The core announces steps of its own, too.
    const announced = (): BlkdebugEvent[] => heard.filter((event) => event.endsWith('_aio'))
    await disk.read(0, new Uint8Array(512))
    expect(announced()).toEqual(['read_aio'])
    await disk.write(0, new Uint8Array(512))
    expect(announced()).toEqual(['read_aio', 'write_aio'])
    await disk.writeZeroes(0, 512)
    await disk.discard(0, 512)
    expect(announced()).toEqual(['read_aio', 'write_aio'])
  })
})

describe('in a window', () => {
  test('nothing beside it is touched', async () => {
    const store = new MemoryStore(counting(8192))
    const disk = await openRaw(store, { offset: 513, size: 1024 }, { unmap: true })
    expect(disk.length).toBe(1024)
    const into = new Uint8Array(1024)
    await disk.read(0, into)
    expect(into).toEqual(counting(8192).subarray(513, 1537))
    await disk.write(0, new Uint8Array(1024).fill(0xee))
    await disk.writeZeroes(512, 100)
    await disk.discard(612, 412)
    const expected = counting(8192)
    expected.fill(0xee, 513, 1025)
    expected.fill(0, 1025, 1537)
    expect(store.bytes()).toEqual(expected)
    await expect(disk.write(1000, new Uint8Array(25))).rejects.toMatchObject({ code: 'EIO' })
  })

  test('status is the file at the same place', async () => {
    const disk = await openRaw(new MemoryStore(8192), { offset: 512 })
    const extents = []
    for await (const extent of disk.map()) extents.push(extent)
    expect(extents).toMatchObject([{ start: 0, bytes: 7680, hostOffset: 512 }])
  })

  test('a fixed size cannot change, an open end can', async () => {
    const store = new MemoryStore(8192)
    const fixed = await openRaw(store, { size: 1024 })
    await expect(fixed.truncate(2048)).rejects.toMatchObject({
      code: 'ENOTSUP',
      message: 'Cannot resize fixed-size raw disks',
    })
    await fixed.close()
    const open = await openRaw(store, { offset: 1024 })
    await open.truncate(1024)
    expect(store.length).toBe(2048)
  })
})

// The core cuts requests at the disk's end; a caller that does not must still not reach a neighbour's bytes.
test('the layer itself refuses what lies outside its window', async () => {
  const unreachable = { length: 4096 } as never
  const layer = new RawLayer(unreachable, {
    window: { offset: 512, size: 512 },
    isWindow: true,
    probed: false,
  })
  const zero = { mayUnmap: false, noFallback: false, fua: false }
  await expect(layer.read(0, new Uint8Array(1024))).rejects.toMatchObject({ code: 'EINVAL' })
  await expect(layer.writer.write(512, new Uint8Array(1), { fua: false })).rejects.toMatchObject({ code: 'ENOSPC' })
  await expect(layer.writer.writeZeroes?.(0, 1024, zero)).rejects.toMatchObject({ code: 'ENOSPC' })
  await expect(layer.writer.discard?.(0, 1024)).rejects.toMatchObject({ code: 'ENOSPC' })
})

test('lengths past what offsets can count are refused', async () => {
  const layer = new RawLayer({ length: 4096 } as never, {
    window: { offset: 512, size: undefined },
    isWindow: true,
    probed: false,
  })
  const options = { preallocation: 'off', exact: true, zeroNewArea: false } as const
  await expect(layer.writer.truncate?.(Number.MAX_SAFE_INTEGER, options)).rejects.toMatchObject({
    code: 'EINVAL',
    message: 'Disk size too large for the chosen offset',
  })
})

// A window is data for its file, and data nodes may resize; but two windows of one file must be able to live together.
test('a window takes of its file only what its users take', () => {
  const setting = { window: { offset: 0, size: undefined }, probed: false }
  const windowed = new RawLayer({ length: 0 } as never, { ...setting, isWindow: true })
  windowed.setPermissions({ taken: 1 + 2 })
  expect(windowed.childPermissions('file', { taken: 1 + 2 + 8, shared: 7 })).toEqual({ taken: 1 + 2, shared: 7 })
  windowed.setPermissions({ taken: 1 + 2 + 8 })
  expect(windowed.childPermissions('file', { taken: 1 + 2 + 8, shared: 7 })).toEqual({ taken: 1 + 2 + 8, shared: 7 })
  windowed.setPermissions({ taken: 1 + 4 })
  expect(windowed.childPermissions('file', { taken: 1 + 2 + 4, shared: 7 })).toEqual({ taken: 1 + 4, shared: 7 })
  const whole = new RawLayer({ length: 0 } as never, { ...setting, isWindow: false })
  expect(whole.childPermissions('file', { taken: 11, shared: 7 })).toEqual({ taken: 11, shared: 7 })
})

test('a guessed format writes whole sectors', () => {
  const setting = { window: { offset: 0, size: undefined }, isWindow: false }
  expect(new RawLayer({ length: 0 } as never, { ...setting, probed: true }).limits).toEqual({ requestAlignment: 512 })
  expect(new RawLayer({ length: 0 } as never, { ...setting, probed: false }).limits).toEqual({})
})

// Options that are not given again go back to their defaults; what is refused leaves the window where it was.
test('reopening moves the window', async () => {
  const store = new MemoryStore(counting(8192))
  const graph = newGraph()
  const disk = await graph.open(raw({ offset: 512, size: 1024, file: memory(store) }))
  const reopen = (options: Record<string, number>) =>
    graph.reopen([{ node: disk.root, options: new Map(Object.entries(options)) }])
  const first = async () => {
    const into = new Uint8Array(512)
    await disk.read(0, into)
    return into[0] === 0 && into[511] === 255
  }
  await reopen({ offset: 4096 })
  expect([disk.length, await first()]).toEqual([4096, true])
  await expect(reopen({ offset: 8704 })).rejects.toThrow(
    'Offset (8704) cannot be greater than size of the containing file (8192)',
  )
  await expect(reopen({ size: 100 })).rejects.toThrow('Specified size is not multiple of 512')
  await expect(reopen({ offset: 4096, size: 8192 })).rejects.toThrow(
    'The sum of offset (4096) and size (8192) has to be smaller or equal to the  actual size of the containing file (8192)',
  )
  expect(disk.length).toBe(4096)
  await reopen({})
  await disk.write(8000, Uint8Array.of(1))
  expect([disk.length, store.bytes()[8000]]).toEqual([8192, 1])
})
