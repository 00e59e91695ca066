// What lies in the cache is executed: only a folder that the user alone can write is used.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cacheFolder, isTrusted, makeFolder } from '../src/cache-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-cli-host-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each([
  [{ XDG_CACHE_HOME: '/cache', HOME: '/home/u' }, '/cache/blocklayer'],
  [{ XDG_CACHE_HOME: 'cache', HOME: '/home/u' }, '/home/u/.cache/blocklayer'],
  [{ XDG_CACHE_HOME: '', HOME: '/home/u' }, '/home/u/.cache/blocklayer'],
  [{ LOCALAPPDATA: '/local', HOME: '/home/u' }, '/local/blocklayer'],
  [{ HOME: '/home/u', NODE_DISABLE_COMPILE_CACHE: '1' }, undefined],
  [{ HOME: '' }, undefined],
  [{}, undefined],
])('%j keeps code in %s', (environment, expected) => {
  expect(cacheFolder(environment)).toBe(expected)
})

test('a folder is made for the user alone', () => {
  const made = join(folder, 'a', 'b')
  expect(isTrusted(made)).toBe(false)
  expect(makeFolder(made)).toBe(true)
  expect(isTrusted(made)).toBe(true)
})

test.each([0o770, 0o702, 0o777])('one of mode %o is not used', (mode) => {
  const open = join(folder, 'open')
  mkdirSync(open)
  chmodSync(open, mode)
  expect([isTrusted(open), makeFolder(open)]).toEqual([false, false])
})

test('neither is a link to one, or a file', () => {
  mkdirSync(join(folder, 'own'), { mode: 0o700 })
  symlinkSync('own', join(folder, 'link'))
  writeFileSync(join(folder, 'file'), '')
  expect([isTrusted(join(folder, 'link')), isTrusted(join(folder, 'file'))]).toEqual([false, false])
})
