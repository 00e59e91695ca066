/**
 * Proves that requests and the events before them come in the reference's order, which is what blkdebug rules and crash
 * safety are about; where ours is another on purpose, the row says why. Every event that there is occurs somewhere.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BlkdebugEvent, blkdebugEvents } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { dataOperations } from './data-operations.ts'
import { imageOperations } from './image-operations.ts'
import { orderOf } from './operation.ts'

const operations = [...dataOperations, ...imageOperations]

describe.each([
  { what: 'data', rows: dataOperations },
  { what: 'the image', rows: imageOperations },
])('operations on $what', ({ rows }) => {
  test.each(rows)('$name', async (operation) => {
    expect(await orderOf(operation)).toBe(operation.ours?.order ?? operation.reference)
  })
})

// A row that says it differs, and does not, hides the next difference.
test.each(operations.filter(({ ours }) => ours !== undefined))(
  '$name: the difference is one',
  ({ ours, reference }) => {
    expect(ours!.order).not.toBe(reference)
    expect(ours!.because).not.toBe('')
  },
)

/** Events that no format announces, with the test of the order in which they come; one comes never. */
const ofOthers: Readonly<Partial<Record<BlkdebugEvent, string>>> = {
  pwritev_rmw_head: 'packages/block-core/test/io/padding.test.ts',
  pwritev_rmw_after_head: 'packages/block-core/test/io/padding.test.ts',
  pwritev_rmw_tail: 'packages/block-core/test/io/padding.test.ts',
  pwritev_rmw_after_tail: 'packages/block-core/test/io/padding.test.ts',
  pwritev: 'packages/block-core/test/io/debug-event.test.ts',
  pwritev_zero: 'packages/block-core/test/io/write-zeroes.test.ts',
  pwritev_done: 'packages/block-core/test/io/debug-event.test.ts',
  cor_write: 'apps/qemu-io-cli/test/contract/requests.test.ts',
  none: 'packages/driver-blkdebug/test/blkdebug-layer.test.ts',
  refblock_update: 'test/tidy/exceptions.ts',
}

const root = join(import.meta.dirname, '../../../..')

// Every event that there is: a row that goes away, or an event that comes to be, is noticed.
test.each(blkdebugEvents)('%s occurs', (event) => {
  const elsewhere = ofOthers[event]
  if (elsewhere !== undefined)
    return expect(readFileSync(join(root, elsewhere), 'utf8')).toMatch(new RegExp(`\\b${event}\\b`))
  const orders = operations.map(({ ours, reference }) => ours?.order ?? reference)
  expect(orders.some((order) => order.split(' ').includes(event))).toBe(true)
})

// What is left to others is really not in the rows.
test.each(Object.keys(ofOthers))('%s is nothing that the format announces', (event) => {
  expect(operations.flatMap(({ reference }) => reference.split(' '))).not.toContain(event)
})
