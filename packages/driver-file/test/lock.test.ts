/** Proves the lock algorithm between two descriptors: who is refused with which words, and that a refusal changes nothing. */

import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Libc, loadLibc } from '../src/libc.ts'
import { hasFileLocks, ImageLock } from '../src/lock.ts'
import { temporaryFolder } from './support.ts'

const path = join(temporaryFolder(), 'image')
const libc = loadLibc().libc as Libc
const consistentRead = 1
const write = 2
const writeUnchanged = 4
const resize = 8
const all = 15

let descriptors: number[] = []

beforeEach(() => writeFileSync(path, ''))
afterEach(() => {
  for (const fd of descriptors) closeSync(fd)
  descriptors = []
})

function descriptor(): number {
  const fd = openSync(path, 'r+')
  descriptors.push(fd)
  return fd
}

/** `struct flock` for one byte: type 0 read, 1 write, 2 none. */
function record(type: number, byte: number): Uint8Array {
  const bytes = new Uint8Array(32)
  new Int16Array(bytes.buffer)[0] = type
  new BigInt64Array(bytes.buffer).set([BigInt(byte), 1n], 1)
  return bytes
}

/** Bytes that somebody other than a fresh descriptor holds. */
function heldBytes(): number[] {
  const fd = descriptor()
  const held: number[] = []
  for (let byte = 0; byte < 256; byte++) {
    const query = record(1, byte)
    libc.fcntl(fd, 36, query)
    if (new Int16Array(query.buffer)[0] !== 2) held.push(byte)
  }
  return held
}

test('the system has these locks', () => {
  expect(hasFileLocks(libc, descriptor())).toBe(true)
  expect(hasFileLocks(libc, 9999)).toBe(false)
})

// The sequences that were observed with the reference tools.
test.each([
  ['qcow2 read-only', consistentRead, all - write - resize, [100, 201, 203]],
  ['qcow2 read-write', consistentRead + write + resize, all - write - resize, [100, 101, 103, 201, 203]],
  ['raw read-only', consistentRead, all, [100]],
  ['raw read-write', consistentRead + write, all, [100, 101]],
  ['raw resize', consistentRead + write + resize, all, [100, 101, 103]],
  ['create', write + resize, all - resize, [101, 103, 203]],
  ['nothing', 0, all, []],
])('%s holds the right bytes', (_name, taken, shared, bytes) => {
  const lock = new ImageLock(libc, descriptor(), path)
  lock.update({ taken, shared })
  expect(heldBytes()).toEqual(bytes)
  lock.update({ taken: 0, shared: all })
  expect(heldBytes()).toEqual([])
})

test.each([
  [consistentRead, 'consistent read'],
  [write, 'write'],
  [writeUnchanged, 'write unchanged'],
  [resize, 'resize'],
])('permission %i is refused by its name on both sides', (bit, name) => {
  const first = new ImageLock(libc, descriptor(), path)
  const second = new ImageLock(libc, descriptor(), path)
  const hint = `Is another process using the image [${path}]?`
  first.update({ taken: 0, shared: all - bit })
  expect(() => second.update({ taken: bit, shared: all })).toThrow(
    expect.objectContaining({ code: 'EAGAIN', message: `Failed to get "${name}" lock`, hint }),
  )
  first.update({ taken: bit, shared: all })
  expect(() => second.update({ taken: 0, shared: all - bit })).toThrow(
    expect.objectContaining({ code: 'EAGAIN', message: `Failed to get shared "${name}" lock`, hint }),
  )
})

test('a refused change leaves exactly the old locks', () => {
  const first = new ImageLock(libc, descriptor(), path)
  const second = new ImageLock(libc, descriptor(), path)
  first.update({ taken: consistentRead, shared: all - write })
  second.update({ taken: consistentRead, shared: all })
  expect(() => second.update({ taken: consistentRead + write, shared: all - resize })).toThrow('"write"')
  first.update({ taken: 0, shared: all })
  expect(heldBytes()).toEqual([100])
})

test('an exclusive lock of somebody else on a byte that we need is an error of its own', () => {
  const fd = descriptor()
  expect(libc.fcntl(fd, 37, record(1, 101))).toBe(0)
  const lock = new ImageLock(libc, descriptor(), path)
  expect(() => lock.update({ taken: consistentRead + write, shared: all })).toThrow(
    expect.objectContaining({ message: 'Failed to lock byte 101', hint: undefined }),
  )
  expect(heldBytes()).toEqual([101])
  expect(() => lock.update({ taken: 0, shared: all - write })).toThrow('Failed to get shared "write" lock')
})

test('locks move to another descriptor of the file', () => {
  const fd = openSync(path, 'r')
  const lock = new ImageLock(libc, fd, path)
  const permissions = { taken: consistentRead + write, shared: all - write - resize }
  lock.update(permissions)
  lock.moveTo(descriptor())
  closeSync(fd)
  expect(heldBytes()).toEqual([100, 101, 201, 203])
  expect(() => lock.moveTo(9999)).toThrow('Failed to lock byte 100')
  lock.update({ taken: 0, shared: all })
  expect(heldBytes()).toEqual([])
})

test('a lock that cannot be given back is reported', () => {
  const fd = openSync(path, 'r+')
  const lock = new ImageLock(libc, fd, path)
  lock.update({ taken: consistentRead, shared: all })
  closeSync(fd)
  expect(() => lock.update({ taken: 0, shared: all })).toThrow('Failed to unlock byte 100')
})
