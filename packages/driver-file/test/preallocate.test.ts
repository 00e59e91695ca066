/** Proves what each preallocation leaves on the disk, and that a failed growth leaves the length as it was. */

import { createRequire } from 'node:module'
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HostFile } from '../src/host-file.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { resizeFile } from '../src/preallocate.ts'
import { failure, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const MiB = 0x10_0000

let count = 0
function newFile(content = new Uint8Array(0)): HostFile {
  const path = join(folder, `file${count++}`)
  writeFileSync(path, content)
  return new HostFile(openSync(path, 'r+'), true)
}

async function resize(file: HostFile, to: number, preallocation: 'off' | 'metadata' | 'falloc' | 'full', calls?: Libc) {
  await resizeFile(file, calls, { from: (await file.stat()).size, to, preallocation })
}

test('off: a hole, but for the first block of a file that was empty', async () => {
  const file = newFile()
  await resize(file, 10 * MiB, 'off')
  expect((await file.stat()).blocks).toBe(8)
  await resize(file, 20 * MiB, 'off')
  expect(await file.stat()).toMatchObject({ size: 20 * MiB, blocks: 8 })
  await resize(file, 100, 'off')
  expect((await file.stat()).size).toBe(100)
  await resize(file, 0, 'off')
  await resize(file, 100, 'off')
  expect((await file.stat()).size).toBe(100)
  await file.close()
})

test.each(['falloc', 'full'] as const)(
  '%s: blocks for everything new, and the old data stays',
  async (preallocation) => {
    const old = new Uint8Array(5000).fill(3)
    for (const calls of [libc, undefined]) {
      const file = newFile(old)
      await resize(file, 4 * MiB, preallocation, calls)
      const { size, blocks } = await file.stat()
      expect(size).toBe(4 * MiB)
      expect(blocks * 512).toBeGreaterThanOrEqual(4 * MiB - 8192)
      const content = new Uint8Array(10_000)
      await file.read(0, content)
      expect(content.subarray(0, 5000)).toEqual(old)
      expect(content.subarray(5000)).toEqual(new Uint8Array(5000))
      await file.close()
    }
  },
)

test('what cannot be is refused with the reference words', async () => {
  const file = newFile(new Uint8Array(5000))
  const refused = async (to: number, mode: 'off' | 'metadata' | 'falloc' | 'full') =>
    (await failure(resize(file, to, mode, libc))).message
  expect(await refused(MiB, 'metadata')).toBe('Unsupported preallocation mode: metadata')
  expect(await refused(100, 'full')).toBe('Cannot use preallocation for shrinking files')
  expect(await refused(2 ** 52, 'off')).toBe('Could not resize file: File too large')
  expect(await refused(2 ** 52, 'full')).toBe('Could not resize file: File too large')
  expect(await refused(2 ** 52, 'falloc')).toBe('Could not preallocate new data: File too large')
  expect((await file.stat()).size).toBe(5000)
  await file.close()
})

test('who stops it finds the length as it was', async () => {
  const stop = new AbortController()
  const path = join(folder, 'stopped')
  writeFileSync(path, 'x')
  class StoppingFile extends HostFile {
    override write(offset: number, bytes: Uint8Array): Promise<void> {
      if (offset > 2 * MiB) stop.abort(new Error('enough'))
      return super.write(offset, bytes)
    }
  }
  const file = new StoppingFile(openSync(path, 'r+'), true)
  const resize = { from: 1, to: 8 * MiB, preallocation: 'full', signal: stop.signal } as const
  await expect(resizeFile(file, undefined, resize)).rejects.toThrow('enough')
  await file.close()
  expect(readFileSync(path, 'utf8')).toBe('x')
})

test('what is prepared is told in bytes of the new part', async () => {
  for (const [preallocation, calls, expected] of [
    ['full', libc, [0, MiB, 2 * MiB]],
    ['falloc', undefined, [0, MiB, 2 * MiB]],
    ['falloc', libc, [2 * MiB]],
    ['off', libc, []],
  ] as const) {
    const file = newFile(new Uint8Array(1000))
    const told: number[] = []
    const onProgress = ({ current, total }: { current: number; total: number }): void => {
      expect(total).toBe(2 * MiB)
      told.push(current)
    }
    await resizeFile(file, calls, { from: 1000, to: 1000 + 2 * MiB, preallocation, onProgress })
    expect({ preallocation, told }).toEqual({ preallocation, told: expected })
    await file.close()
  }
})

test('zeroes that cannot be written are undone', async () => {
  // A memory file whose seal forbids writing but not resizing: the one way to make just the write fail.
  const koffi = createRequire(import.meta.url)('koffi')
  const library = koffi.load(null)
  const fd: number = library.func('int memfd_create(const char *name, unsigned int flags)')('sealed', 2)
  expect(library.func('int fcntl(int fd, int command, int argument)')(fd, 1033, 8)).toBe(0)
  const file = new HostFile(fd, true)
  expect((await failure(resize(file, MiB, 'full'))).message).toBe(
    'Could not write zeros for preallocation: Operation not permitted',
  )
  expect(fstatSync(fd).size).toBe(0)
  closeSync(fd)
})

class UnflushableFile extends HostFile {
  override datasync(): Promise<void> {
    return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 }))
  }
}

test('zeroes that cannot be made durable are undone', async () => {
  const path = join(folder, 'unflushable')
  writeFileSync(path, 'x')
  const file = new UnflushableFile(openSync(path, 'r+'), true)
  expect((await failure(resize(file, MiB, 'full'))).message).toBe('Could not flush file to disk: Input/output error')
  await file.close()
  expect(readFileSync(path, 'utf8')).toBe('x')
})

// The reference makes the image even where its first block finds no room; other failures must not pass.
test('the first block may lack room, but not fail otherwise', async () => {
  class FullFile extends HostFile {
    code = 'ENOSPC'
    override write(): Promise<void> {
      return failingWrite(this.code)
    }
  }
  const path = join(folder, 'full')
  writeFileSync(path, '')
  const file = new FullFile(openSync(path, 'r+'), true)
  await resize(file, MiB, 'off')
  await resize(file, 0, 'off')
  file.code = 'EIO'
  expect(await failure(resize(file, MiB, 'off'))).toMatchObject({ code: 'EIO' })
  await file.close()
})

async function failingWrite(code: string): Promise<void> {
  const { BlockError } = await import('@blocklayer/block-core/driver')
  throw BlockError.fromErrno(code === 'EIO' ? 'EIO' : 'ENOSPC')
}
