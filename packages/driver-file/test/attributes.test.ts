/** Proves that attributes are set where the file system has them and that only a real refusal is reported. */

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { setFileAttributes } from '../src/attributes.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc

/** The result of each request in turn; what a file system may answer. */
function answering(results: number[], arguments_: number[][]): Libc {
  const ioctl: Libc['ioctl'] = (_fd, _request, argument) => {
    arguments_.push([...new Uint32Array(argument.buffer)])
    return results.shift() ?? 0
  }
  return { ...libc, ioctl }
}

test('a real file takes the defaults without complaint', () => {
  const fd = openSync(join(folder, 'file'), 'w+')
  const warnings: string[] = []
  setFileAttributes(libc, fd, { nocow: true, extentSizeHint: 0x10_0000 }, (text) => warnings.push(text))
  expect(warnings).toEqual([])
  closeSync(fd)
})

test('flags that are set already stay', () => {
  const seen: number[][] = []
  setFileAttributes(answering([], seen), 0, { nocow: true, extentSizeHint: 65536 }, () => {})
  expect(seen).toEqual([
    [0, 0],
    [0x80_0000, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0x800, 65536, 0, 0, 0, 0, 0],
  ])
  setFileAttributes(answering([], seen), 0, { nocow: false, extentSizeHint: 0 }, () => {})
  expect(seen).toHaveLength(4)
})

test('a refusal is a warning, a missing attribute is not', () => {
  const warnings: string[] = []
  const set = (results: number[]): void =>
    setFileAttributes(answering(results, []), 0, { nocow: true, extentSizeHint: 1 }, (text) => warnings.push(text))
  set([-25, -95])
  expect(warnings).toEqual([])
  set([0, -1, 0, -22])
  expect(warnings).toEqual([
    'Could not turn off copy-on-write: Operation not permitted',
    'Could not set extent size hint: Invalid argument',
  ])
})
