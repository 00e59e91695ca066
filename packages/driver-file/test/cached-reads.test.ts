/** Proves that what is in memory is read at once, and that all else goes another way without being tried each time. */

import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CachedReads } from '../src/cached-reads.ts'
import { loadLibc } from '../src/libc.ts'
import { openHost, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const content: Uint8Array = new Uint8Array(65536).map((_, at) => at % 251)

function written(name: string): string {
  const path = join(folder, name)
  const fd = openSync(path, 'w')
  writeSync(fd, content)
  closeSync(fd)
  return path
}

test('a file that was just written is in memory', () => {
  const { libc } = loadLibc()
  if (libc?.readCached === undefined) throw new Error('the C library of the test machine must have preadv2')
  const fd = openSync(written('new'), 'r')
  const into = new Uint8Array(4096)
  // The file system may refuse to say; then nothing is read at once, ever.
  const count = libc.readCached(fd, into, 1000)
  if (count !== -95) {
    expect(count).toBe(4096)
    expect(into).toEqual(content.subarray(1000, 5096))
    expect(libc.readCached(fd, into, 65536 - 10)).toBe(10)
    expect(CachedReads.from(libc)?.read(fd, 5, into)).toBe(true)
    expect(CachedReads.from(libc)?.read(fd, 65536 - 10, into)).toBe(false)
  }
  closeSync(fd)
  expect(libc.readCached(-1, into, 0)).toBe(-9)
})

test('long and empty reads are not tried', () => {
  const reads = CachedReads.from({
    readCached: () => {
      throw new Error('must not be tried')
    },
  })
  expect(reads?.read(0, 0, new Uint8Array(64 * 1024 + 1))).toBe(false)
  expect(reads?.read(0, 0, new Uint8Array(0))).toBe(false)
  expect(CachedReads.from(undefined)).toBeUndefined()
  expect(CachedReads.from({})).toBeUndefined()
})

test('where nothing is in memory, trying becomes rare, and one success makes it common again', () => {
  let tries = 0
  let answer = -11
  const reads = CachedReads.from({
    readCached: () => {
      tries++
      return answer
    },
  })!
  const into = new Uint8Array(8)
  for (let i = 0; i < 10_000; i++) expect(reads.read(0, 0, into)).toBe(false)
  expect(tries).toBeLessThan(60)
  answer = 8
  let waited = 0
  while (!reads.read(0, 0, into)) waited++
  expect(waited).toBeLessThanOrEqual(256)
  for (let i = 0; i < 10; i++) expect(reads.read(0, 0, into)).toBe(true)
})

test('asynchronous reads are right whichever way they go, and let others have their turn', async () => {
  const file = await openHost(written('turns'), { readOnly: true, synchronous: false })
  let turns = 0
  const count = (): void => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  for (let i = 0; i < 1000; i++) {
    const into = new Uint8Array(1 + (i % 5000)).fill(255)
    const offset = (i * 997) % 66_000
    await file.read(offset, into)
    const expected = new Uint8Array(into.length)
    expected.set(content.subarray(offset, offset + into.length))
    expect(Buffer.compare(into, expected)).toBe(0)
  }
  clearImmediate(timer)
  expect(turns).toBeGreaterThan(3)
  await file.close()
})
