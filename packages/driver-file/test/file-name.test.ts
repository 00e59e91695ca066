/** Proves that the prefix goes exactly once and that a path never turns into another protocol's name. */

import { expect, test } from 'vitest'
import { parseFileName } from '../src/file-name.ts'

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
