/** Proves the checks that no schema can express, and the names and order that users see. */

import { expect, test } from 'vitest'
import { checkFileOptions, fileCreateOptions, fileOptions } from '../src/options.ts'

test('native AIO needs cache.direct', () => {
  const message = 'aio=native was specified, but it requires cache.direct=on, which was not specified.'
  expect(() => checkFileOptions({ filename: 'x', aio: 'native' }, false)).toThrow(message)
  expect(() => checkFileOptions({ filename: 'x', aio: 'native' }, true)).not.toThrow()
  expect(() => checkFileOptions({ filename: 'x', aio: 'io_uring' }, false)).not.toThrow()
  // As the driver's own settings have it, where the node does not choose.
  expect(() => checkFileOptions({ filename: 'x' }, false, 'native')).toThrow(message)
})

test('there are no persistent reservation managers', () => {
  expect(() => checkFileOptions({ filename: 'x', prManager: 'foo' }, false)).toThrow(
    "No persistent reservation manager with id 'foo'",
  )
})

test('options have the reference names, creation options its printing order', () => {
  expect(Object.values(fileOptions).map((spec) => spec.name)).toEqual([
    'filename',
    'aio',
    'locking',
    'aio-max-batch',
    'pr-manager',
    'drop-cache',
    'x-check-cache-dropped',
  ])
  expect(Object.values(fileCreateOptions).map((spec) => spec.name)).toEqual([
    'size',
    'nocow',
    'preallocation',
    'extent_size_hint',
  ])
})
