/** Proves that every runtime option of the reference has a row, under the reference's name. */

import { expect, test } from 'vitest'
import { qcow2OptionSchema } from '../../src/open/options.ts'

test('names and types', () => {
  const rows = Object.values(qcow2OptionSchema).map(({ name, type }) => `${name}: ${String(type)}`)
  expect(rows).toEqual([
    'file: node',
    'data-file: node',
    'lazy-refcounts: bool',
    'pass-discard-request: bool',
    'pass-discard-snapshot: bool',
    'pass-discard-other: bool',
    'discard-no-unref: bool',
    'overlap-check: string',
    'overlap-check.template: string',
    'overlap-check.main-header: bool',
    'overlap-check.active-l1: bool',
    'overlap-check.active-l2: bool',
    'overlap-check.refcount-table: bool',
    'overlap-check.refcount-block: bool',
    'overlap-check.snapshot-table: bool',
    'overlap-check.inactive-l1: bool',
    'overlap-check.inactive-l2: bool',
    'overlap-check.bitmap-directory: bool',
    'cache-size: size',
    'l2-cache-size: size',
    'l2-cache-entry-size: size',
    'refcount-cache-size: size',
    'cache-clean-interval: number',
    'encrypt.format: string',
    'encrypt.key-secret: string',
  ])
})
