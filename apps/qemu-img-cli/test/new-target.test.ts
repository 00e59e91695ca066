// What an interrupted command says of its target is what has become of it, whoever emptied or removed it.

import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NewTarget } from '../src/new-target.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-target-'))
  path = join(folder, 'target')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a new target is removed; one that was never made, or is gone already, is told so', () => {
  const target = new NewTarget({ target: path })
  expect(target.giveUp()).toBe(`'${path}' was not made`)
  writeFileSync(path, 'half')
  expect(target.giveUp()).toBe(`'${path}' was removed`)
  expect(existsSync(path)).toBe(false)
})

test('a target that was there: as it was, changed, or gone', () => {
  writeFileSync(path, 'old')
  const target = new NewTarget({ target: path })
  expect(target.giveUp()).toBe('nothing was written')
  // Making an image empties the file first, and removes it where that fails.
  writeFileSync(path, '')
  expect(target.giveUp()).toBe(`'${path}' was there before and is left, incomplete`)
  expect(existsSync(path)).toBe(true)
  rmSync(path)
  expect(target.giveUp()).toBe(`'${path}' was there before and is gone`)
})

test('a file that was made through a link goes, a folder stays', () => {
  symlinkSync('elsewhere', path)
  const target = new NewTarget({ target: path })
  writeFileSync(path, 'half')
  expect(target.giveUp()).toBe(`'${path}' was removed`)
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
})

test('what cannot be removed is told as left', () => {
  const target = new NewTarget({ target: path })
  symlinkSync(folder, path)
  expect(target.giveUp()).toBe(`'${path}' is left, incomplete`)
})
