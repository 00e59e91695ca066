/** Proves that the C library's calls are there on this system, and report failures by number on both ways. */

import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FallocateModes, type Libc, loadKoffi, loadLibc } from '../src/libc.ts'
import { temporaryFolder } from './support.ts'

const folder = temporaryFolder()

function need(): Libc {
  const { libc } = loadLibc()
  if (!libc) throw new Error('koffi is a dependency of the repository and must load here')
  return libc
}

test('data and holes are found, and past the end there is ENXIO', () => {
  const fd = openSync(join(folder, 'sparse'), 'w+')
  writeSync(fd, new Uint8Array(65536).fill(1), 0, 65536, 1048576)
  const libc = need()
  expect(libc.seekData(fd, 0)).toBe(1048576)
  expect(libc.seekHole(fd, 1048576)).toBe(1114112)
  expect(libc.seekData(fd, 2 ** 40)).toBe(-6)
  closeSync(fd)
})

test('fallocate works and fails alike at once and on the pool', async () => {
  const fd = openSync(join(folder, 'allocate'), 'w+')
  const libc = need()
  expect(libc.fallocate(fd, FallocateModes.allocate, 0, 65536)).toBe(0)
  expect(await libc.fallocatePooled(fd, FallocateModes.allocate, 0, 131072)).toBe(0)
  expect(libc.fallocate(fd, FallocateModes.allocate, 0, 0)).toBe(-22)
  expect(await libc.fallocatePooled(fd, 77, 0, 65536)).toBe(-95)
  closeSync(fd)
  expect(await libc.fallocatePooled(fd, FallocateModes.allocate, 0, 65536)).toBe(-9)
})

test('places past 2^53 are numbers like all others', () => {
  // Only a file system in memory takes files of this length, by a tool that can say so.
  const path = `/dev/shm/blocklayer-${process.pid}`
  execFileSync('truncate', ['-s', String(2n ** 62n), path])
  const fd = openSync(path, 'r')
  try {
    const libc = need()
    expect(libc.seekEnd(fd)).toBe(2 ** 62)
    expect(libc.seekHole(fd, 0)).toBe(0)
    expect(libc.seekData(fd, 0)).toBe(-6)
  } finally {
    closeSync(fd)
    rmSync(path)
  }
})

test("koffi's module for the platform is enough, and koffi itself serves where that is of another shape", () => {
  const require = createRequire(join(folder, 'program.js'))
  const install = (name: string, code: string): string => {
    const path = join(folder, 'node_modules', name)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'index.js'), code)
    return join(path, 'index.js')
  }
  install('koffi', 'exports.load = exports.errno = exports.address = () => "whole"')
  const name = `@koromix/koffi-linux-${process.arch}`
  const native = install(name, 'exports.load = exports.errno = exports.address = () => "platform"')
  expect(loadKoffi(require).errno()).toBe('platform')
  delete require.cache[native]
  install(name, 'exports.load = () => "strange"')
  expect(loadKoffi(require).errno()).toBe('whole')
})
