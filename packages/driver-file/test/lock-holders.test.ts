/** Proves that holders of a lock are found by process and program, and only they. */

import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { BlockError } from '@blocklayer/block-core/driver'
import { type Libc, loadLibc } from '../src/libc.ts'
import { ImageLock } from '../src/lock.ts'
import { lockedBytes, lockHolders } from '../src/lock-holders.ts'
import { holdInReference, temporaryFolder, withoutReference } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const command = readFileSync('/proc/self/comm', 'utf8').trimEnd()

test('this process is named for its other descriptors, not for the one that asks', () => {
  const path = join(folder, 'own')
  writeFileSync(path, '')
  const [first, second] = [openSync(path, 'r+'), openSync(path, 'r+')]
  new ImageLock(libc, first, path).update({ taken: 2, shared: 15 })
  expect(lockHolders(second, 101)).toEqual([{ pid: process.pid, command }])
  expect(lockHolders(second, 100)).toEqual([])
  expect(lockHolders(first, 101)).toEqual([])
  const other = new ImageLock(libc, second, path)
  let error: BlockError | undefined
  try {
    other.update({ taken: 0, shared: 15 - 2 })
  } catch (caught) {
    error = caught as BlockError
  }
  expect(error).toMatchObject({ message: 'Failed to get shared "write" lock' })
  expect(error?.details).toEqual({ holders: [{ pid: process.pid, command }] })
  expect(error?.prepend('x: ').details).toBe(error?.details)
  closeSync(first)
  closeSync(second)
})

// The same inode number on another file system, or another byte, is somebody else's business.
test('lines of other files, other bytes and other kinds of locks do not count', () => {
  const info = [
    'pos:\t0',
    'flags:\t0100002',
    'lock:\t1: OFDLCK ADVISORY  READ -1 fe:00:77 100 101',
    'lock:\t2: OFDLCK ADVISORY  WRITE -1 fe:00:77 200 EOF',
    'lock:\t3: OFDLCK ADVISORY  READ -1 fe:00:78 103 103',
    'lock:\t4: POSIX  ADVISORY  READ 12 fe:00:77 102 102',
    'lock:\t5: FLOCK  ADVISORY  WRITE 12 fe:00:77 0 EOF',
  ].join('\n')
  expect(lockedBytes(info, 77n)).toEqual([
    [100, 101],
    [200, Number.POSITIVE_INFINITY],
  ])
  expect(lockedBytes('pos:\t0\n', 77n)).toEqual([])
})

test('a holder that is gone is no holder', async () => {
  const path = join(folder, 'gone')
  writeFileSync(path, '')
  const fd = openSync(path, 'r')
  expect(fstatSync(fd).isFile()).toBe(true)
  const child = spawn('sleep', ['0'])
  await new Promise((resolve) => child.once('close', resolve))
  expect(lockHolders(fd, 101)).toEqual([])
  closeSync(fd)
})

test.skipIf(withoutReference)('qemu-io is named (skipped where it is not installed)', async () => {
  const path = join(folder, 'theirs')
  writeFileSync(path, new Uint8Array(65536))
  const release = await holdInReference(['-f', 'raw', path])
  const fd = openSync(path, 'r')
  expect(lockHolders(fd, 101)).toEqual([{ pid: expect.any(Number), command: 'qemu-io' }])
  await release()
  expect(lockHolders(fd, 101)).toEqual([])
  closeSync(fd)
})
