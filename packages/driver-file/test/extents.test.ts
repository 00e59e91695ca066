/** Proves that data and holes are told apart, that runs end where they should, and what happens when nobody can tell. */

import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { extentAt } from '../src/extents.ts'
import { loadLibc } from '../src/libc.ts'
import { temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const { libc } = loadLibc()
const MiB = 0x10_0000

test('runs of data and holes', () => {
  const fd = openSync(join(folder, 'sparse'), 'w+')
  writeSync(fd, new Uint8Array(65536).fill(1), 0, 65536, MiB)
  writeSync(fd, new Uint8Array(1000).fill(1), 0, 1000, 2 * MiB)
  const at = (offset: number, bytes: number): unknown => extentAt(libc, { fd, offset, bytes })
  expect(at(0, 4096)).toEqual({ bytes: MiB, data: false, zero: true, hostOffset: 0 })
  expect(at(MiB + 100, 10)).toEqual({ bytes: 65436, data: true, zero: false, hostOffset: MiB + 100 })
  expect(at(MiB + 65536, 10)).toMatchObject({ bytes: MiB - 65536, zero: true })
  expect(at(2 * MiB, MiB)).toMatchObject({ bytes: 1000, data: true })
  // The rest of the last sector: the file has ended, the disk has not.
  expect(at(2 * MiB + 1000, 24)).toMatchObject({ bytes: 24, data: false, zero: true })
  closeSync(fd)
})

test('a hole at the end goes as far as was asked', () => {
  const fd = openSync(join(folder, 'hole'), 'w+')
  expect(extentAt(libc, { fd, offset: 0, bytes: 512 })).toMatchObject({ bytes: 512, zero: true })
  closeSync(fd)
})

test('all is data where the call is missing or fails', () => {
  expect(extentAt(undefined, { fd: 0, offset: 7, bytes: 9 })).toEqual({
    bytes: 9,
    data: true,
    zero: false,
    hostOffset: 7,
  })
  expect(extentAt(libc, { fd: 9999, offset: 0, bytes: 9 })).toMatchObject({ bytes: 9, data: true, zero: false })
})
