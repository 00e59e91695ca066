/** Proves that reads and writes are whole, that the end of the file reads as zeroes, and what opening refuses. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { failure, openHost, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const path = (name: string): string => join(folder, name)

describe.each([
  { synchronous: true, name: 'sync' },
  { synchronous: false, name: 'threads' },
])('$name', ({ synchronous, name }) => {
  test('what is written is read, and past the end there are zeroes', async () => {
    writeFileSync(path(name), new Uint8Array(1000).fill(7))
    const file = await openHost(path(name), { readOnly: false, synchronous })
    await file.write(990, new Uint8Array(20).fill(9))
    const into = new Uint8Array(1024).fill(255)
    await file.read(0, into)
    expect(into.subarray(0, 990)).toEqual(new Uint8Array(990).fill(7))
    expect(into.subarray(990, 1010)).toEqual(new Uint8Array(20).fill(9))
    expect(into.subarray(1010)).toEqual(new Uint8Array(14))
    await file.read(5000, into)
    expect(into).toEqual(new Uint8Array(1024))
    await file.read(0, new Uint8Array(0))
    await file.write(0, new Uint8Array(0))
    await file.datasync()
    await file.truncate(10)
    expect((await file.stat()).size).toBe(10)
    await file.close()
    expect(readFileSync(path(name))).toHaveLength(10)
  })

  // Long requests take the pool's way in either mode.
  test('long requests are whole too, several at a time', async () => {
    const MiB = 1024 * 1024
    const place = path(`${name}-long`)
    writeFileSync(place, '')
    const file = await openHost(place, { readOnly: false, synchronous })
    const parts = [1, 2, 3, 4].map((value) => new Uint8Array(MiB).fill(value))
    await Promise.all(parts.map((part, index) => file.write(index * MiB, part)))
    const into = new Uint8Array(2 * MiB).fill(255)
    await file.read(3 * MiB, into)
    expect(into.subarray(0, MiB)).toEqual(parts[3])
    expect(into.subarray(MiB)).toEqual(new Uint8Array(MiB))
    await file.close()
    expect(readFileSync(place)).toHaveLength(4 * MiB)
    expect((await failure(file.write(0, parts[0]!))).code).toBe('EBADF')
  })

  test('a refused request has its code', async () => {
    writeFileSync(path(name), 'x')
    const file = await openHost(path(name), { readOnly: true, synchronous })
    expect(await failure(file.write(0, new Uint8Array(1)))).toMatchObject({
      code: 'EBADF',
      message: 'Bad file descriptor',
    })
    await file.close()
    expect(await failure(file.read(0, new Uint8Array(1)))).toMatchObject({ code: 'EBADF' })
  })

  test('opening refuses what is not a regular file', async () => {
    const open = (filename: string, readOnly = true): ReturnType<typeof failure> =>
      failure(openHost(filename, { readOnly, synchronous }))
    mkdirSync(path('folder'), { recursive: true })
    expect(await open(path('folder'))).toMatchObject({
      message: `'file' driver requires '${path('folder')}' to be a regular file`,
    })
    expect(await open(path('folder'), false)).toMatchObject({
      code: 'EISDIR',
      message: `Could not open '${path('folder')}': Is a directory`,
    })
    expect(await open(path('missing'))).toMatchObject({
      code: 'ENOENT',
      message: `Could not open '${path('missing')}': No such file or directory`,
    })
    expect(await open('/dev/null')).toMatchObject({ code: 'EINVAL' })
    expect(await open('a\0b')).toMatchObject({ message: "Could not open 'a\0b': Invalid argument" })
    const loop = path(`loop-${name}`)
    symlinkSync(loop, loop)
    expect(await open(loop)).toMatchObject({ code: 'ELOOP' })
  })

  test('a FIFO is refused instead of waited for', async () => {
    const fifo = path(`fifo-${name}`)
    execFileSync('mkfifo', [fifo])
    expect(await failure(openHost(fifo, { readOnly: true, synchronous }))).toMatchObject({
      message: `'file' driver requires '${fifo}' to be a regular file`,
    })
  })
})

// Synchronous requests give back settled promises; a loop of them must not keep timers waiting for ever.
test('a loop of synchronous requests lets the event loop turn', async () => {
  writeFileSync(path('turn'), new Uint8Array(65536))
  const file = await openHost(path('turn'), { readOnly: true, synchronous: true })
  let fired = false
  setTimeout(() => {
    fired = true
  }, 1)
  const into = new Uint8Array(65536)
  for (let i = 0; i < 100_000 && !fired; i++) await file.read(0, into)
  expect(fired).toBe(true)
  await file.close()
})
