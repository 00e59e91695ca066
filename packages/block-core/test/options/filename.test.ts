/** Names combine as text, the way the reference combines them. */

import { describe, expect, test } from 'vitest'
import {
  combinePaths,
  isAbsolutePath,
  protocolPrefix,
  resolveBackingName,
  stripFilePrefix,
} from '../../src/options/filename.ts'

test.each<[string, string | undefined]>([
  ['nbd://host/x', 'nbd'],
  ['a:b', 'a'],
  [':x', ''],
  ['json:{}', 'json'],
  ['file:file:x', 'file'],
  ['./a:b', undefined],
  ['d/a:b', undefined],
  ['/x:y', undefined],
  ['x', undefined],
  ['', undefined],
])('prefix of %j', (filename, prefix) => {
  expect(protocolPrefix(filename)).toBe(prefix)
})

test.each<[string, boolean]>([
  ['/x', true],
  ['file:/x', true],
  ['nbd://h', true],
  ['x', false],
  ['file:x', false],
  ['', false],
])('%j absolute: %s', (path, absolute) => {
  expect(isAbsolutePath(path)).toBe(absolute)
})

test.each([
  ['a', 'b', 'b'],
  ['dir/a', 'b', 'dir/b'],
  ['/dir/a', 'b', '/dir/b'],
  ['/dir/sub/a', '../b', '/dir/sub/../b'],
  ['dir/a', '/b', '/b'],
  ['file:a', 'b', 'file:b'],
  ['file:dir/a', 'b', 'file:dir/b'],
  ['nbd://host/dir/a', 'b', 'nbd://host/dir/b'],
  ['dir/', 'b', 'dir/b'],
  ['', 'b', 'b'],
])('%j and %j make %j', (base, relative, combined) => {
  expect(combinePaths(base, relative)).toBe(combined)
})

describe('resolveBackingName', () => {
  test.each([
    ['dir/top', 'base', 'dir/base'],
    ['dir/top', 'nbd:host:1', 'nbd:host:1'],
    ['dir/top', 'json:{}', 'json:{}'],
    ['', '/base', '/base'],
    ['json:{"driver":"null-co"}', 'nbd:x:1', 'nbd:x:1'],
  ])('%j, %j: %j', (image, recorded, resolved) => {
    expect(resolveBackingName(image, recorded)).toBe(resolved)
  })

  test.each(['', 'json:{}'])('a relative name beside %j is refused', (image) => {
    expect(() => resolveBackingName(image, 'base')).toThrow(`Cannot use relative backing file names for '${image}'`)
  })
})

test.each([
  ['x', 'x'],
  ['file:x', 'x'],
  ['file:file:x', './file:x'],
  ['file:a:b', './a:b'],
  ['file:json:x', './json:x'],
  ['file:///a', '///a'],
  ['file:d/a:b', 'd/a:b'],
  ['nbd:x', 'nbd:x'],
])('file protocol makes %j into %j', (filename, path) => {
  expect(stripFilePrefix(filename)).toBe(path)
})
