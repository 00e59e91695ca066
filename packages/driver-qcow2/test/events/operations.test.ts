/**
 * Proves that requests and the events before them come in the reference's order, which is what blkdebug rules and crash
 * safety are about; where ours is another on purpose, the row says why. Events that the format can emit are all seen.
 */

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

/** What the core emits (`flush_to_disk`), and what a plain operation of ours never leads to, is left out. */
const ofTheFormat = [
  'l1_update l1_grow_alloc_table l1_grow_write_table l1_grow_activate_table l1_shrink_write_table',
  'l1_shrink_free_l2_clusters l2_load l2_update l2_update_compressed l2_alloc_cow_read l2_alloc_write',
  'read_aio read_backing_aio read_compressed write_aio write_compressed cow_read cow_write cluster_alloc_space',
  'reftable_load reftable_grow reftable_update refblock_load refblock_update_part refblock_alloc',
  'refblock_alloc_hookup refblock_alloc_write refblock_alloc_write_blocks refblock_alloc_write_table',
  'refblock_alloc_switch_table cluster_alloc cluster_alloc_bytes cluster_free empty_image_prepare flush_to_os',
]

test.each(ofTheFormat.flatMap((line) => line.split(' ')))('%s occurs', (event) => {
  const orders = operations.map(({ ours, reference }) => ours?.order ?? reference)
  expect(orders.some((order) => order.split(' ').includes(event))).toBe(true)
})
