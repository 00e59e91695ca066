/** Proves that the needed alignment is found by trying, and that requests on any buffers arrive aligned. */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DirectIo, probeAlignment } from '../src/direct-io.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { resizeFile } from '../src/preallocate.ts'
import { failure, libcWith, noDirectIo, openHost, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const path = join(folder, 'image')
const content = Uint8Array.from({ length: 3 * 1024 * 1024 }, (_, index) => (index * 7 + (index >> 12)) % 256)
fs.writeFileSync(path, content)

test.skipIf(noDirectIo)('this file system says what it needs, and takes that', async () => {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECT)
  const { request, memory } = await probeAlignment(libc, fd)
  expect([512, 1024, 2048, 4096]).toContain(request)
  expect([512, 1024, 2048, 4096]).toContain(memory)
  fs.closeSync(fd)
})

test('where one byte works nothing is known, and a page is safe', async () => {
  const fd = fs.openSync(path, 'r')
  expect(await probeAlignment(libc, fd)).toEqual({ request: 4096, memory: 4096 })
  // A device names its sectors.
  const device = libcWith({ ioctl: (_fd, _request, argument) => (new Uint32Array(argument.buffer)[0] = 2048) })
  expect((await probeAlignment(device, fd)).request).toBe(2048)
  fs.closeSync(fd)
})

test('where nothing works there are words for it', async () => {
  const fd = fs.openSync(path, 'r')
  const { read } = fs
  const refuse = (...args: unknown[]): void => {
    const done = args.at(-1) as (error: Error) => void
    setImmediate(() => done(Object.assign(new Error('EINVAL'), { code: 'EINVAL', errno: -22 })))
  }
  Object.assign(fs, { read: refuse })
  syncBuiltinESMExports()
  try {
    expect(await failure(probeAlignment(libc, fd))).toEqual({
      code: 'EINVAL',
      message: 'Could not find working O_DIRECT alignment',
      hint: 'Try cache.direct=off',
    })
  } finally {
    Object.assign(fs, { read })
    syncBuiltinESMExports()
    fs.closeSync(fd)
  }
})

describe.skipIf(noDirectIo).each([true, false])(
  'synchronous: %s (skipped where the file system has no O_DIRECT)',
  (synchronous) => {
    test('buffers that lie anywhere are read and written', async () => {
      const file = await openHost(path, { readOnly: false, synchronous, direct: true })
      const { request } = file.direct!.alignment
      for (const shift of [0, 1, 16, request - 1]) {
        const into = new Uint8Array(2 * request + shift).subarray(shift)
        await file.read(request, into)
        expect(into).toEqual(content.subarray(request, 3 * request))
        await file.write(request, into)
      }
      // Longer than a window.
      const long = new Uint8Array(content.length + 1).subarray(1)
      await file.read(0, long)
      expect(Buffer.compare(long, content)).toBe(0)
      await file.write(0, long)
      await file.close()
      expect(Buffer.compare(fs.readFileSync(path), content)).toBe(0)
    })

    test('several buffers are, too, whatever their lengths', async () => {
      const file = await openHost(path, { readOnly: false, synchronous, direct: true })
      const { request } = file.direct!.alignment
      for (const lengths of [
        [request, request],
        [1, request - 1],
        [7, 2 * request, request - 7],
      ]) {
        const into = lengths.map((length) => new Uint8Array(length))
        await file.readv(request, into)
        const bytes = lengths.reduce((sum, length) => sum + length, 0)
        expect(Buffer.compare(Buffer.concat(into), content.subarray(request, request + bytes))).toBe(0)
        await file.writev(request, into)
      }
      await file.close()
      expect(Buffer.compare(fs.readFileSync(path), content)).toBe(0)
    })

    test('the end of a file of any length reads as zeroes', async () => {
      const odd = join(folder, `odd-${synchronous}`)
      fs.writeFileSync(odd, content.subarray(0, 1000))
      const file = await openHost(odd, { readOnly: true, synchronous, direct: true })
      const into = new Uint8Array(8192).fill(255)
      await file.read(0, into)
      expect(into.subarray(0, 1000)).toEqual(content.subarray(0, 1000))
      expect(into.subarray(1000)).toEqual(new Uint8Array(7192))
      await file.close()
    })

    // The reference fails with EINVAL: its zeroes lie anywhere.
    test('space is prepared with zeroes, too', async () => {
      const grown = join(folder, `grown-${synchronous}`)
      fs.writeFileSync(grown, content.subarray(0, 4096))
      const file = await openHost(grown, { readOnly: false, synchronous, direct: true })
      await resizeFile(file, undefined, { from: 4096, to: 0x40_0000, preallocation: 'full' })
      await file.close()
      const { size, blocks } = fs.statSync(grown)
      expect(size).toBe(0x40_0000)
      expect(blocks * 512).toBeGreaterThanOrEqual(size)
      const bytes = fs.readFileSync(grown)
      expect(bytes.subarray(0, 4096).equals(content.subarray(0, 4096))).toBe(true)
      expect(bytes.subarray(4096).every((byte) => byte === 0)).toBe(true)
    })
  },
)

test('aligned buffers are taken as they are', () => {
  const io = new DirectIo(libcWith({ pageOffset: (buffer) => buffer.length }), { request: 512, memory: 512 })
  expect([io.fits(new Uint8Array(1024)), io.fits(new Uint8Array(1000))]).toEqual([true, false])
  expect(io.fitsAll([new Uint8Array(512), new Uint8Array(1024)])).toBe(true)
  expect(io.fitsAll([new Uint8Array(512), new Uint8Array(100)])).toBe(false)
})
