/** Operations on the image as a whole: its size, snapshots, bitmaps, format, repair, emptying. */

import { amendImage, applySnapshot, changeDirtyBitmap, createSnapshot, deleteSnapshot } from '@blocklayer/block-core'
import { MiB } from '../helpers/disk.ts'
import { nothing, type Operation, steps, write } from './operation.ts'

const moment = { dateSeconds: 1, dateNanoseconds: 0 }
const snapshot =
  (name: string): Operation['act'] =>
  (disk) =>
    createSnapshot(disk, { name, ...moment })
const addBitmap: Operation['act'] = (disk) => changeDirtyBitmap(disk.root, { type: 'add', name: 'b', persistent: true })
const repair: Operation['act'] = (disk) => disk.check({ repair: 'all' })

/** The rows. */
export const imageOperations: readonly Operation[] = [
  {
    name: 'growth of the L1 table',
    prepare: write(0, 64),
    act: (disk) => disk.truncate(1024 * MiB),
    reference:
      'l1_grow_alloc_table cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l1_grow_write_table W F l1_grow_activate_table W F cluster_free refblock_alloc refblock_load W F',
    ours: {
      order:
        'l2_load R l1_grow_alloc_table cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l1_grow_write_table W F l1_grow_activate_table W F cluster_free refblock_alloc refblock_load refblock_update_part W F W F',
      because:
        'what lies behind the old end is made sure to read as zeroes, and refcounts reach the disk before the size does',
    },
  },
  {
    name: 'shrinking',
    prepare: write(0, 1024),
    act: (disk) => disk.truncate(MiB / 2),
    reference:
      'l2_load R cluster_free refblock_alloc refblock_load R cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load P W F T W F',
    ours: {
      order:
        'l2_load R cluster_alloc R refblock_alloc refblock_load l2_alloc_cow_read l2_alloc_write l2_update W refblock_update_part W F cluster_alloc refblock_alloc refblock_load refblock_update_part W F l1_shrink_write_table W F W F cluster_free refblock_alloc refblock_load l1_shrink_free_l2_clusters cluster_free refblock_alloc refblock_load cluster_free refblock_alloc refblock_load P F P refblock_update_part W F cluster_alloc refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load refblock_update_part W F l2_alloc_cow_read l2_alloc_write l2_update W F l1_update W F cluster_free refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load cluster_free refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load refblock_update_part W F W F W F cluster_free refblock_alloc refblock_load refblock_update_part W F T',
      because: 'the shortened tables are written beside the old ones, then put in force by one header write',
    },
  },
  {
    name: 'first snapshot',
    prepare: write(0, 64),
    act: snapshot('s'),
    reference:
      'cluster_alloc R refblock_alloc refblock_load W l2_load R refblock_alloc refblock_load refblock_alloc refblock_load flush_to_os refblock_update_part W F l2_update W F W F cluster_alloc refblock_alloc refblock_load flush_to_os refblock_update_part W F W W W W flush_to_os F W F cluster_free',
    ours: {
      order:
        'W F cluster_alloc R refblock_alloc refblock_load W l2_load R refblock_alloc refblock_load refblock_alloc refblock_load flush_to_os l2_update W F refblock_update_part W F W F cluster_alloc refblock_alloc refblock_load flush_to_os W flush_to_os F W F cluster_free refblock_update_part W F W flush_to_os flush_to_disk F',
      because: 'the image is marked dirty meanwhile; the counts reach the disk with the entries',
    },
  },
  {
    name: 'second snapshot',
    prepare: steps(write(0, 64), snapshot('s')),
    act: snapshot('t'),
    reference:
      'cluster_alloc R refblock_alloc refblock_load W l2_load R refblock_alloc refblock_load refblock_alloc refblock_load flush_to_os refblock_update_part W F cluster_alloc refblock_alloc refblock_load flush_to_os refblock_update_part W F W W W W W W W W flush_to_os F W F cluster_free refblock_alloc refblock_load P',
    ours: {
      order:
        'W F cluster_alloc R refblock_alloc refblock_load W l2_load R refblock_alloc refblock_load refblock_alloc refblock_load flush_to_os F refblock_update_part W F cluster_alloc refblock_alloc refblock_load flush_to_os W flush_to_os F W F cluster_free refblock_alloc refblock_load P refblock_update_part W F W flush_to_os flush_to_disk F',
      because: 'the image is marked dirty meanwhile; the table is written in one piece',
    },
  },
  {
    name: 'applying a snapshot',
    prepare: steps(write(0, 64), snapshot('s'), write(0, 128)),
    act: (disk) => applySnapshot(disk, 's'),
    reference:
      'R l2_load R refblock_alloc refblock_load R refblock_alloc refblock_load flush_to_os refblock_update_part W F W F W F l2_load R refblock_alloc refblock_load refblock_alloc refblock_load refblock_alloc refblock_load flush_to_os refblock_update_part W F P flush_to_os F W F',
    ours: {
      order:
        'R W F l2_load R refblock_alloc refblock_load R refblock_alloc refblock_load flush_to_os refblock_update_part W F cluster_alloc refblock_alloc refblock_load refblock_update_part W F W F W F cluster_free refblock_alloc refblock_load l2_load R refblock_alloc refblock_load cluster_free refblock_alloc refblock_load P flush_to_os F P F refblock_update_part W F W flush_to_os flush_to_disk F',
      because: 'the snapshot comes into force by one header write, under the dirty mark',
    },
  },
  {
    name: 'deleting the last snapshot',
    prepare: steps(write(0, 64), snapshot('s')),
    act: (disk) => deleteSnapshot(disk, 's'),
    reference:
      'cluster_alloc flush_to_os flush_to_os W F cluster_free refblock_alloc refblock_load R P R l2_load R refblock_alloc refblock_load refblock_alloc refblock_load flush_to_os l2_update W F refblock_update_part W F cluster_free refblock_alloc refblock_load P flush_to_os F refblock_update_part W F W F',
    ours: {
      order:
        'R W F flush_to_os flush_to_os W F cluster_free refblock_alloc refblock_load R P l2_load R refblock_alloc refblock_load refblock_alloc refblock_load cluster_free refblock_alloc refblock_load P flush_to_os l2_update W F refblock_update_part W F W F W flush_to_os flush_to_disk F',
      because: 'the image is marked dirty meanwhile; a table without entries takes no cluster',
    },
  },
  {
    name: 'opening an image with a bitmap',
    prepare: steps(write(0, 64), addBitmap),
    act: nothing,
    part: 'open',
    reference: 'R R reftable_load R R R R R R R W F W W F W F',
    ours: { order: 'R R R reftable_load R R R W F W W F W F', because: 'metadata is read in fewer pieces' },
  },
  {
    name: 'storing a new bitmap',
    prepare: write(0, 64),
    act: addBitmap,
    part: 'close',
    reference:
      'flush_to_os cluster_alloc R refblock_alloc refblock_load W cluster_alloc refblock_alloc refblock_load W refblock_update_part W F W F',
    ours: {
      order:
        'flush_to_os cluster_alloc R refblock_alloc refblock_load W cluster_alloc refblock_alloc refblock_load W refblock_update_part W F R W F W F',
      because: 'the header loses its promise before the directory comes into force',
    },
  },
  {
    name: 'storing a bitmap anew',
    prepare: steps(write(0, 64), addBitmap),
    act: write(64, 64),
    part: 'close',
    reference:
      'flush_to_os refblock_update_part W F l2_update W flush_to_disk F R cluster_alloc refblock_alloc refblock_load W cluster_alloc refblock_alloc refblock_load W cluster_alloc refblock_alloc refblock_load W refblock_update_part W F W F cluster_free refblock_alloc refblock_load R cluster_free refblock_alloc refblock_load refblock_update_part W F',
    ours: {
      order:
        'flush_to_os refblock_update_part W F l2_update W flush_to_disk F cluster_alloc refblock_alloc refblock_load W cluster_alloc refblock_alloc refblock_load W cluster_alloc refblock_alloc refblock_load W refblock_update_part W F W F cluster_free refblock_alloc refblock_load R cluster_free refblock_alloc refblock_load refblock_update_part W F',
      because: 'the old table is known',
    },
  },
  {
    name: 'removing a bitmap',
    prepare: steps(write(0, 64), addBitmap),
    act: (disk) => changeDirtyBitmap(disk.root, { type: 'remove', name: 'b' }),
    reference: 'R W F cluster_free refblock_alloc refblock_load R R cluster_free refblock_alloc refblock_load',
    ours: {
      order: 'R W F W F cluster_free refblock_alloc refblock_load R R cluster_free refblock_alloc refblock_load',
      because: 'the header loses its promise before the directory changes',
    },
  },
  {
    name: 'amending the refcount width',
    prepare: write(0, 64),
    act: (disk) => amendImage(disk, { refcount_bits: 8 }),
    reference:
      'R cluster_alloc refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load W W refblock_update_part W F W cluster_free refblock_alloc refblock_load R cluster_free refblock_alloc refblock_load W flush_to_os F',
    ours: {
      order:
        'R cluster_alloc refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load W W F W F cluster_free refblock_alloc refblock_load R cluster_free refblock_alloc refblock_load flush_to_os refblock_update_part W flush_to_disk F',
      because: 'new blocks are durable before the header names them; the old ones need not count them',
    },
  },
  {
    name: 'amending to lazy refcounts',
    prepare: write(0, 64),
    act: (disk) => amendImage(disk, { lazy_refcounts: true }),
    reference: 'W W flush_to_os F',
    ours: { order: 'R W F flush_to_os flush_to_disk', because: 'the header is written once' },
  },
  {
    name: 'upgrading',
    create: { compat: '0.10' },
    act: (disk) => amendImage(disk, { compat: '1.1' }),
    reference: 'W W flush_to_os F',
    ours: { order: 'R W F flush_to_os flush_to_disk', because: 'the header is written once' },
  },
  {
    name: 'downgrading',
    prepare: steps(
      write(0, 64),
      (disk) => disk.writeZeroes(65536, 65536),
      write(128, 64),
      (disk) => disk.writeZeroes(131072, 65536),
    ),
    act: (disk) => amendImage(disk, { compat: '0.10' }),
    reference: 'W R l2_load R Z F l2_update W F W flush_to_os F',
    ours: {
      order: 'R l2_load R Z F l2_update W F R W F flush_to_os flush_to_disk',
      because: 'the header is written once',
    },
  },
  {
    name: 'amending the size',
    prepare: write(0, 64),
    act: (disk) => amendImage(disk, { size: 2 * 1024 * MiB }),
    reference:
      'W l1_grow_alloc_table cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l1_grow_write_table W F l1_grow_activate_table W F cluster_free refblock_alloc refblock_load W F refblock_update_part W F flush_to_os flush_to_disk',
    ours: {
      order:
        'l2_load R l1_grow_alloc_table cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l1_grow_write_table W F l1_grow_activate_table W F cluster_free refblock_alloc refblock_load refblock_update_part W F W F flush_to_os flush_to_disk',
      because: 'the header is written once, and as for growth of the L1 table',
    },
  },
  {
    name: 'check',
    prepare: write(0, 64),
    check: true,
    act: (disk) => disk.check(),
    reference: 'R R R R R',
    ours: { order: 'R R R R', because: 'metadata is read in fewer pieces' },
  },
  {
    name: 'repair of a leak',
    prepare: write(0, 64),
    damage: (image) => image.fill(2, 0x2000b, 0x2000c),
    check: true,
    act: repair,
    reference: 'R R R R refblock_alloc refblock_load R R R R R',
    ours: { order: 'R R R refblock_alloc refblock_load R', because: 'metadata is read in fewer pieces' },
  },
  {
    name: 'refcounts rebuilt',
    prepare: write(0, 64),
    damage: (image) => image.fill(0, 0x2000b, 0x2000c),
    check: true,
    act: repair,
    reference: 'R R R R W W W W F R R R refblock_alloc refblock_load P refblock_alloc refblock_load P R R R R R',
    ours: {
      order: 'R R R W W F W F R R R refblock_alloc refblock_load P refblock_alloc refblock_load P R',
      because: 'new blocks are durable before the header names them',
    },
  },
  {
    name: 'repair of a dirty image at open',
    create: { lazyRefcounts: true },
    prepare: write(0, 64),
    damage: (image) => image.fill(1, 79, 80),
    act: nothing,
    part: 'open',
    reference: 'R R reftable_load R R R R R R R R W flush_to_os F',
    ours: { order: 'R R R reftable_load R R R R R W F', because: 'metadata is read in fewer pieces' },
  },
  {
    name: 'emptying, fast',
    backing: true,
    prepare: write(0, 64),
    act: (disk) => disk.makeEmpty(),
    reference:
      'W F l1_update Z empty_image_prepare Z l1_update reftable_update W F refblock_alloc W F cluster_alloc R refblock_alloc refblock_load refblock_update_part W F W T',
    ours: {
      order:
        'W F l1_update Z F empty_image_prepare Z F l1_update reftable_update W F refblock_alloc W F cluster_alloc R refblock_alloc refblock_load refblock_update_part W F W T',
      because: 'nothing is zeroed, and no header written, before what comes before it is durable',
    },
  },
  {
    name: 'emptying, slow',
    backing: true,
    prepare: steps(write(0, 64), snapshot('s'), write(0, 64)),
    act: (disk) => disk.makeEmpty(),
    reference: 'l2_load R cluster_free refblock_alloc refblock_load R P',
    ours: {
      order: 'l2_load R cluster_free refblock_alloc refblock_load R l2_update W F P refblock_update_part W F',
      because: 'holes are punched when the entries that lead there are durably gone',
    },
  },
]
