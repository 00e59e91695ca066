/** Proves that the prefix goes exactly once, that a path never turns into another protocol's name, and that all spellings of one file come to one text. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canonicalPath, parseFileName } from '../src/file-name.ts'

test.each([
  ['x', 'x'],
  ['a:b', 'a:b'],
  ['file:x', 'x'],
  ['file:file:x', './file:x'],
  ['file:a:b', './a:b'],
  ['file:/a:b', '/a:b'],
  ['file:d/a:b', 'd/a:b'],
  ['file:///a', '///a'],
  ['file://localhost/x', '//localhost/x'],
  ['file:', ''],
])('%s names the path %s', (name, path) => {
  expect(parseFileName(name)).toBe(path)
})

test('spellings of one file have one canonical path; a missing file has none', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'blocklayer-canonical-')))
  try {
    writeFileSync(join(folder, 'a'), '')
    mkdirSync(join(folder, 'sub'))
    symlinkSync('../a', join(folder, 'sub/link'))
    for (const name of ['a', './a', 'sub/../a', 'sub/link'])
      expect(canonicalPath(`${folder}/${name}`)).toBe(`${folder}/a`)
    expect(canonicalPath(`${folder}/missing`)).toBeUndefined()
    expect(canonicalPath(`${folder}/a/b`)).toBeUndefined()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
