/** Proves that requests are whole whatever the calls do: short transfers, interruptions, the end of the file, failures. */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as transfers from '../src/transfers.ts'
import { failure, temporaryFolder } from './support.ts'

const path = join(temporaryFolder(), 'image')
const content = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251)
const { read, readSync, readv, readvSync, write, writeSync, writev, writevSync } = fs
const original = { read, readSync, readv, readvSync, write, writeSync, writev, writevSync }
let fd: number
let left: number

beforeEach(() => {
  fs.writeFileSync(path, content)
  fd = fs.openSync(path, 'r+')
  left = 0
})

afterEach(() => {
  Object.assign(fs, original)
  syncBuiltinESMExports()
  fs.closeSync(fd)
})

const file = (alignment = 1): transfers.Descriptor => ({ fd, alignment, leave: () => left++ })
const later = async (run: () => void): Promise<void> => run()

interface Way {
  readonly name: string
  readonly pooled: boolean
  read(file: transfers.Descriptor, offset: number, into: Uint8Array): Promise<void>
  write(file: transfers.Descriptor, offset: number, data: Uint8Array): Promise<void>
}

/** The same bytes in buffers of uneven lengths. */
function cut(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 7) % 1009) {
    parts.push(bytes.subarray(at, at + length))
  }
  return parts
}

const ways: readonly Way[] = [
  {
    name: 'blocking',
    pooled: false,
    read: (f, offset, into) => later(() => transfers.readBlocking(f, offset, into)),
    write: (f, offset, data) => later(() => transfers.writeBlocking(f, offset, data)),
  },
  {
    name: 'blocking, several buffers',
    pooled: false,
    read: (f, offset, into) => later(() => transfers.readVectorBlocking(f, offset, cut(into))),
    write: (f, offset, data) => later(() => transfers.writeVectorBlocking(f, offset, cut(data))),
  },
  { name: 'pooled', pooled: true, read: transfers.readPooled, write: transfers.writePooled },
  {
    name: 'pooled, several buffers',
    pooled: true,
    read: (f, offset, into) => transfers.readVectorPooled(f, offset, cut(into)),
    write: (f, offset, data) => transfers.writeVectorPooled(f, offset, cut(data)),
  },
]

/** Makes every other call fail as if a signal had come, and the others move at most 100 bytes. */
function disturb(): void {
  let calls = 0
  const interruption = (): Error => Object.assign(new Error('EINTR'), { code: 'EINTR', errno: -4 })
  const single = <T extends (...args: never[]) => unknown>(call: T): T =>
    ((fd: number, buffer: Uint8Array, start: number, bytes: number, at: number, done?: (e: unknown) => void) => {
      const interrupted = calls++ % 2 === 0
      if (!interrupted)
        return (call as unknown as (...args: unknown[]) => unknown)(fd, buffer, start, Math.min(bytes, 100), at, done)
      if (done === undefined) throw interruption()
      return setImmediate(() => done(interruption()))
    }) as unknown as T
  const several = <T extends (...args: never[]) => unknown>(call: T): T =>
    ((fd: number, buffers: Uint8Array[], at: number, done?: (e: unknown) => void) => {
      const interrupted = calls++ % 2 === 0
      const some = buffers.slice(0, 2).map((buffer) => buffer.subarray(0, 100))
      const first = some[0]!.length < buffers[0]!.length ? some.slice(0, 1) : some
      if (!interrupted) return (call as unknown as (...args: unknown[]) => unknown)(fd, first, at, done)
      if (done === undefined) throw interruption()
      return setImmediate(() => done(interruption()))
    }) as unknown as T
  Object.assign(fs, {
    read: single(fs.read),
    write: single(fs.write),
    readSync: single(fs.readSync),
    writeSync: single(fs.writeSync),
    readv: several(fs.readv),
    writev: several(fs.writev),
    readvSync: several(fs.readvSync),
    writevSync: several(fs.writevSync),
  })
  syncBuiltinESMExports()
}

describe.each(ways)('$name', ({ read, write, pooled }) => {
  const ended = pooled ? 1 : 0

  test('reads are whole, and zeroes follow the end', async () => {
    const into = new Uint8Array(12_000).fill(255)
    await read(file(), 500, into)
    expect(into.subarray(0, 9500)).toEqual(content.subarray(500))
    expect(into.subarray(9500)).toEqual(new Uint8Array(2500))
    expect(left).toBe(ended)
  })

  test('short and interrupted calls go on where they stopped', async () => {
    disturb()
    const data = Uint8Array.from({ length: 3001 }, (_, index) => (index * 3) % 256)
    await write(file(), 7, data)
    const into = new Uint8Array(3010)
    await read(file(), 0, into)
    expect(into.subarray(0, 7)).toEqual(content.subarray(0, 7))
    expect(into.subarray(7, 3008)).toEqual(data)
    expect(into.subarray(3008)).toEqual(content.subarray(3008, 3010))
    expect(left).toBe(2 * ended)
  })

  // With O_DIRECT the next read would begin where no read may begin.
  test('a read that ends off the alignment has met the end', async () => {
    const into = new Uint8Array(2048).fill(255)
    await read(file(512), 9728, into)
    expect(into.subarray(0, 272)).toEqual(content.subarray(9728))
    expect(into.subarray(272)).toEqual(new Uint8Array(1776))
  })

  test('failures have their code, and the request has left', async () => {
    const closed = { ...file(), fd: 9999 }
    expect((await failure(read(closed, 0, new Uint8Array(1)))).code).toBe('EBADF')
    expect((await failure(write(closed, 0, new Uint8Array(1)))).code).toBe('EBADF')
    expect(left).toBe(2 * ended)
  })

  test('a write that moves nothing is an error, not a loop', async () => {
    const none = (...args: unknown[]): number => {
      const done = args.at(-1)
      if (typeof done === 'function') setImmediate(() => done(null, 0))
      return 0
    }
    Object.assign(fs, { write: none, writev: none, writeSync: none, writevSync: none })
    syncBuiltinESMExports()
    expect((await failure(write(file(), 0, new Uint8Array(10)))).code).toBe('EIO')
  })
})

test('more buffers than one call takes are all transferred', async () => {
  const one = Array.from({ length: 2500 }, (_, index) => Uint8Array.of(index % 256))
  await transfers.writeVectorPooled(file(), 0, one)
  const into = one.map(() => new Uint8Array(1))
  transfers.readVectorBlocking(file(), 0, into)
  expect(into).toEqual(one)
})
