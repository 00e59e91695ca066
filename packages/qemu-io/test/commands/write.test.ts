/** Proves what writes write, and which options exclude each other. */

import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { bench, report } from '../helpers/session.ts'

test('a pattern, the default, a file over and over, zeroes', async () => {
  const source = async (path: string) => {
    if (path === 'none') throw BlockError.fromErrno('ENOENT')
    return new TextEncoder().encode(path === 'empty' ? '' : 'ab')
  }
  const { run, store } = await bench({ host: { readFile: source } })
  expect(await run('write 0 1k')).toBe(report('wrote', 1024, 0, '1 KiB'))
  await run('write -q -P 7 1k 2')
  await run('write -q -s file 1026 3')
  await run('writev -q -P 9 1029 1 1')
  await run('write -q -z 0 1022')
  expect([...store.bytes().subarray(1020, 1032)]).toEqual([0, 0, 0xcd, 0xcd, 7, 7, 0x61, 0x62, 0x61, 9, 9, 0])
  expect(await run('write -s none 0 1')).toBe('none: No such file or directory\nfailed')
  expect(await run('write -s empty 0 1')).toBe('empty: file is empty\nfailed')
  expect(await run('write -s file 0 0')).toBe('file: file is empty\nfailed')
})

test('a host without files', async () => {
  const { run } = await bench()
  expect(await run('write -s file 0 1')).toBe('file: Operation not supported\nfailed')
})

test.each([
  ['-bz', '-b and -z cannot be specified at the same time'],
  ['-fb', '-f and -b or -c cannot be specified at the same time'],
  ['-fc', '-f and -b or -c cannot be specified at the same time'],
  ['-n', '-n requires -z to be specified'],
  ['-u', '-u requires -z to be specified'],
  ['-z -P 1', 'Only one of -z, -P, and -s can be specified at the same time'],
  ['-s x -P 1', 'Only one of -z, -P, and -s can be specified at the same time'],
])('%s', async (options, message) => {
  const { run } = await bench()
  expect(await run(`write ${options} 0 512`)).toBe(`${message}\nfailed`)
})

test('what the image cannot', async () => {
  const { run } = await bench()
  expect(await run('write -c 0 64k')).toBe('write failed: Operation not supported\nfailed')
  expect(await run('write -b 0 512')).toBe('write failed: Operation not supported\nfailed')
  expect(await run('write -c 0 1')).toBe("1 is not a sector-aligned value for 'count'\nfailed")
  expect(await run('writev 64k 1')).toBe('writev failed: Input/output error\nfailed')
  expect(await run('write 0 3G')).toBe('length cannot exceed 2147483136 without -n, given 3G\nfailed')
})
