// Compiled code is there whole or not at all, and whatever goes wrong is silence: a cache may be missing.

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCode, writeCode } from '../src/code-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-cli-host-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const code = Uint8Array.of(1, 2, 3)

test('what was written is read, and nothing else is left', () => {
  const place = { folder: join(folder, 'new'), file: 'tool-a.bin' }
  expect(readCode(place)).toBeUndefined()
  writeCode(place, 'tool', () => code)
  expect([...readCode(place)!]).toEqual([1, 2, 3])
  expect(readdirSync(place.folder)).toEqual(['tool-a.bin'])
  expect(statSync(join(place.folder, 'tool-a.bin')).mode & 0o777).toBe(0o600)
})

test('a folder that others can write is neither read nor written', () => {
  writeFileSync(join(folder, 'tool-a.bin'), 'planted')
  chmodSync(folder, 0o777)
  const place = { folder, file: 'tool-a.bin' }
  expect(readCode(place)).toBeUndefined()
  writeCode({ folder, file: 'tool-b.bin' }, 'tool', () => code)
  expect(existsSync(join(folder, 'tool-b.bin'))).toBe(false)
})

test('neither damage nor a link is taken for code', () => {
  const place = { folder, file: 'tool-a.bin' }
  writeCode(place, 'tool', () => code)
  symlinkSync('tool-a.bin', join(folder, 'tool-link.bin'))
  expect(readCode({ folder, file: 'tool-link.bin' })).toBeUndefined()
  for (const bytes of ['', 'abc', 'abcdefgh']) {
    writeFileSync(join(folder, 'tool-a.bin'), bytes)
    expect(readCode(place)).toBeUndefined()
  }
})

test("a program's own files go after a month, other programs' stay", () => {
  const past = new Date(Date.now() - 31 * 24 * 3600 * 1000)
  for (const name of ['tool-old.bin', 'other-old.bin', 'tool-new.bin']) writeFileSync(join(folder, name), '')
  for (const name of ['tool-old.bin', 'other-old.bin']) utimesSync(join(folder, name), past, past)
  writeCode({ folder, file: 'tool-a.bin' }, 'tool', () => code)
  expect(readdirSync(folder).sort()).toEqual(['other-old.bin', 'tool-a.bin', 'tool-new.bin'])
})

test('where nothing can be written, nothing happens', () => {
  writeFileSync(join(folder, 'file'), '')
  writeCode({ folder: join(folder, 'file', 'below'), file: 'tool-a.bin' }, 'tool', () => code)
  expect(readdirSync(folder)).toEqual(['file'])
})

test('a mistake of ours is no refusal of the system', () => {
  const compile = (): Uint8Array => {
    throw new TypeError('a mistake')
  }
  expect(() => writeCode({ folder, file: 'tool-a.bin' }, 'tool', compile)).toThrow('a mistake')
})
