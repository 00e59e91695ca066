/** Proves what devices are asked, in which words of the kernel, and that the answers are understood. */

import { closeSync, openSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import * as calls from '../src/device-calls.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { attachLoop, libcWith, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const loop = attachLoop(folder, 0x80_0000, 4096)
const reason = 'reason' in loop ? loop.reason : ''
if ('device' in loop) afterAll(loop.detach)

/** A device that answers every request with `value`, and what it was asked. */
function answering(value: number): { libc: Libc; asked: unknown[] } {
  const asked: unknown[] = []
  const words = (argument: Uint8Array): number[] => [...new BigUint64Array(argument.buffer)].map(Number)
  const fake = libcWith({
    ioctl: (_fd, request, argument) => {
      asked.push(request.toString(16))
      if (argument.length === 8) new BigUint64Array(argument.buffer)[0] = BigInt(value)
      else new Uint32Array(argument.buffer)[0] = value
      return 0
    },
    ioctlPooled: async (_fd, request, argument) => {
      asked.push([request.toString(16), ...words(argument)])
      return -value
    },
    ioctlNumber: (_fd, request, argument) => {
      asked.push([request.toString(16), argument])
      return -value
    },
  })
  return { libc: fake, asked }
}

test.skipIf(process.arch === 'ppc64')('requests have the numbers of the kernel', async () => {
  const { libc: fake, asked } = answering(4096)
  expect(calls.sectorSize(fake, 3)).toBe(4096)
  expect(calls.deviceLength(fake, 3)).toBe(4096)
  expect(calls.isReadOnlyDevice(fake, 3)).toBe(true)
  expect(calls.isCdrom(fake, 3)).toBe(false)
  expect(await calls.discardRange(fake, { fd: 3, offset: 2 ** 40, bytes: 512 })).toBe(-4096)
  expect(await calls.zeroRange(fake, { fd: 3, offset: 0, bytes: 1 })).toBe(-4096)
  expect(asked).toEqual(['1268', '80081272', '125e', ['5326', 0x7fff_ffff], ['1277', 2 ** 40, 512], ['127f', 0, 1]])
  expect(calls.isReadOnlyDevice(answering(0).libc, 3)).toBe(false)
  expect(calls.isCdrom(answering(0).libc, 3)).toBe(true)
})

test('what is no block device has no sectors, and its end is its length', () => {
  const fd = openSync('/dev/zero', 'r')
  expect(calls.sectorSize(libc, fd)).toBeUndefined()
  expect(calls.isReadOnlyDevice(libc, fd)).toBe(false)
  expect(calls.isCdrom(libc, fd)).toBe(false)
  expect(calls.deviceLength(libc, fd)).toBe(0)
  expect(calls.deviceLength(undefined, fd)).toBe(0)
  closeSync(fd)
  const endless = libcWith({ seekEnd: () => -29 })
  expect(() => calls.deviceLength(endless, 9999)).toThrow('Could not refresh total sector count: Illegal seek')
})

test('some answers mean never, others mean not now', () => {
  expect([-95, -25, -38, -19].map(calls.isRefusedForGood)).toEqual([true, true, true, true])
  expect([0, -22, -5, -28].map(calls.isRefusedForGood)).toEqual([false, false, false, false])
})

test.skipIf('reason' in loop)(`a loop device answers (skipped where there is none: ${reason})`, async () => {
  if (!('device' in loop)) return
  const fd = openSync(loop.device, 'r+')
  expect(calls.sectorSize(libc, fd)).toBe(4096)
  expect(calls.deviceLength(libc, fd)).toBe(0x80_0000)
  expect(calls.deviceLength(undefined, fd)).toBe(0x80_0000)
  expect(calls.isReadOnlyDevice(libc, fd)).toBe(false)
  expect(calls.isCdrom(libc, fd)).toBe(false)
  expect(await calls.discardRange(libc, { fd, offset: 4096, bytes: 4096 })).toBe(0)
  expect(await calls.discardRange(libc, { fd, offset: 1, bytes: 4096 })).toBe(-22)
  expect(await calls.zeroRange(libc, { fd, offset: 0, bytes: 4096 })).toBe(0)
  closeSync(fd)
})
