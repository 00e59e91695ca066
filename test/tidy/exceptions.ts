/** What the tidy rules let pass, and why. An entry that is no longer needed fails the test, so the list only shrinks. */
import type { BlkdebugEvent } from '../../packages/block-core/src/driver/events.ts'
import type { Exceptions } from './rules.ts'

/** Sources with logic that have no test of their name. A key that ends in `/` stands for a folder. */
export const withoutTwin: Exceptions = {
  'packages/block-core/src/testing/contract/': "is a test suite itself: every driver's contract.test.ts runs it",
}

/** Files that may skip a whole suite: only on a condition, with the reason in the test's name, and never in CI. */
export const conditionalSkips: Exceptions = {
  'packages/block-core/test/options/reference.ts': 'skips, by name, what needs a reference tool that is not installed',
  'packages/driver-qcow2/test/helpers/reference.ts':
    'skips, by name, what needs a reference tool that is not installed',
}

/** Who announces an event: a package, or nobody, with the reason. */
export type Announcer = 'block-core' | 'driver-qcow2' | 'driver-raw' | 'driver-blkdebug' | { readonly nobody: string }

/** Every event and its announcer in the reference, as far as the work has come. */
export const announcers: Readonly<Record<BlkdebugEvent, Announcer>> = {
  l1_update: 'driver-qcow2',
  l1_grow_alloc_table: 'driver-qcow2',
  l1_grow_write_table: 'driver-qcow2',
  l1_grow_activate_table: 'driver-qcow2',
  l2_load: 'driver-qcow2',
  l2_update: 'driver-qcow2',
  l2_update_compressed: 'driver-qcow2',
  l2_alloc_cow_read: 'driver-qcow2',
  l2_alloc_write: 'driver-qcow2',
  read_aio: 'driver-qcow2',
  read_backing_aio: 'driver-qcow2',
  read_compressed: 'driver-qcow2',
  write_aio: 'driver-qcow2',
  write_compressed: 'driver-qcow2',
  vmstate_load: 'driver-qcow2',
  vmstate_save: 'driver-qcow2',
  cow_read: 'driver-qcow2',
  cow_write: 'driver-qcow2',
  reftable_load: 'driver-qcow2',
  reftable_grow: 'driver-qcow2',
  reftable_update: 'driver-qcow2',
  refblock_load: 'driver-qcow2',
  refblock_update: { nobody: 'the reference never announces it (spec/blkdebug.md, 6)' },
  refblock_update_part: 'driver-qcow2',
  refblock_alloc: 'driver-qcow2',
  refblock_alloc_hookup: 'driver-qcow2',
  refblock_alloc_write: 'driver-qcow2',
  refblock_alloc_write_blocks: 'driver-qcow2',
  refblock_alloc_write_table: 'driver-qcow2',
  refblock_alloc_switch_table: 'driver-qcow2',
  cluster_alloc: 'driver-qcow2',
  cluster_alloc_bytes: 'driver-qcow2',
  cluster_free: 'driver-qcow2',
  flush_to_os: 'block-core',
  flush_to_disk: 'block-core',
  pwritev_rmw_head: 'block-core',
  pwritev_rmw_after_head: 'block-core',
  pwritev_rmw_tail: 'block-core',
  pwritev_rmw_after_tail: 'block-core',
  pwritev: 'block-core',
  pwritev_zero: 'block-core',
  pwritev_done: 'block-core',
  empty_image_prepare: 'driver-qcow2',
  l1_shrink_write_table: 'driver-qcow2',
  l1_shrink_free_l2_clusters: 'driver-qcow2',
  cor_write: 'block-core',
  cluster_alloc_space: 'driver-qcow2',
  none: 'driver-blkdebug',
}
