/** Proves that punched and zeroed ranges read as zeroes, and that a file system without them is asked only once. */

import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FallocateModes, type Libc, loadLibc } from '../src/libc.ts'
import { ZeroRanges } from '../src/zero-ranges.ts'
import { failure, libcWith, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const MiB = 0x10_0000

function filledFile(name: string): number {
  const fd = openSync(join(folder, name), 'w+')
  writeSync(fd, new Uint8Array(MiB).fill(0xaa), 0, MiB, 0)
  return fd
}

function bytesAt(fd: number, offset: number, bytes: number): Uint8Array {
  const into = new Uint8Array(bytes)
  readSync(fd, into, 0, bytes, offset)
  return into
}

/** The real calls on a file system that lacks some of them (tmpfs has no ZERO_RANGE, NFS 3 has none at all). */
function libcWithout(lacking: readonly number[], asked: number[]): Libc {
  const fallocate: Libc['fallocate'] = (fd, mode, offset, bytes) => {
    asked.push(mode)
    return lacking.includes(mode) ? -95 : libc.fallocate(fd, mode, offset, bytes)
  }
  return { ...libc, fallocate }
}

describe.each([true, false])('synchronous %s', (synchronous) => {
  test('punching frees blocks and zeroes, edges included', async () => {
    const fd = filledFile(`punch-${synchronous}`)
    const before = fstatSync(fd).blocks
    await new ZeroRanges(libc, synchronous).punch({ fd, offset: 100, bytes: 500_000 })
    expect(bytesAt(fd, 99, 1)[0]).toBe(0xaa)
    expect(bytesAt(fd, 100, 500_000)).toEqual(new Uint8Array(500_000))
    expect(bytesAt(fd, 500_100, 1)[0]).toBe(0xaa)
    expect(fstatSync(fd).blocks).toBeLessThan(before)
    closeSync(fd)
  })

  test('zeroing past the end makes the file longer', async () => {
    const fd = filledFile(`zero-${synchronous}`)
    await new ZeroRanges(libc, synchronous).zero({ fd, offset: MiB - 4096, bytes: 8192 })
    expect(fstatSync(fd).size).toBe(MiB + 4096)
    expect(bytesAt(fd, MiB - 4096, 8192)).toEqual(new Uint8Array(8192))
    closeSync(fd)
  })

  test('other failures are reported', async () => {
    const closed = new ZeroRanges(libc, synchronous).punch({ fd: 9999, offset: 0, bytes: 1 })
    expect(await failure(closed)).toMatchObject({ code: 'EBADF' })
  })
})

test('without zeroing, a hole is punched and filled with blocks', async () => {
  const fd = filledFile('tmpfs')
  const asked: number[] = []
  const ranges = new ZeroRanges(libcWithout([FallocateModes.zeroRange], asked), true)
  await ranges.zero({ fd, offset: 4096, bytes: 65536 })
  await ranges.zero({ fd, offset: MiB, bytes: 4096 })
  expect(bytesAt(fd, 4096, 65536)).toEqual(new Uint8Array(65536))
  expect(fstatSync(fd).size).toBe(MiB + 4096)
  const { zeroRange, punchHole, allocate } = FallocateModes
  expect(asked).toEqual([zeroRange, punchHole, allocate, punchHole, allocate])
  closeSync(fd)
})

test('what the file system lacks is ENOTSUP, and asked once', async () => {
  const fd = filledFile('nothing')
  const asked: number[] = []
  const { zeroRange, punchHole, allocate } = FallocateModes
  const ranges = new ZeroRanges(libcWithout([zeroRange, punchHole, allocate], asked), true)
  const range = { fd, offset: 0, bytes: 4096 }
  for (let i = 0; i < 2; i++) {
    expect(await failure(ranges.punch(range))).toMatchObject({ code: 'ENOTSUP' })
    expect(await failure(ranges.zero(range))).toMatchObject({ code: 'ENOTSUP' })
  }
  expect(asked).toEqual([punchHole, zeroRange])
  const halfAsked: number[] = []
  const half = new ZeroRanges(libcWithout([zeroRange, allocate], halfAsked), true)
  for (let i = 0; i < 2; i++) expect(await failure(half.zero(range))).toMatchObject({ code: 'ENOTSUP' })
  expect(halfAsked).toEqual([zeroRange, punchHole, allocate])
  expect(bytesAt(fd, 0, 4096)).toEqual(new Uint8Array(4096))
  closeSync(fd)
})

// Only this range is refused; the next one may lie better.
test('a range that the file system will not zero as it is, is written instead', async () => {
  const fd = filledFile('unaligned')
  const results = [-22, 0]
  const ranges = new ZeroRanges(libcWith({ fallocate: () => results.shift() ?? -5 }), true)
  expect(await failure(ranges.zero({ fd, offset: 1, bytes: 1 }))).toMatchObject({ code: 'ENOTSUP' })
  await ranges.zero({ fd, offset: 4096, bytes: 4096 })
  expect(results).toEqual([])
  closeSync(fd)
})
