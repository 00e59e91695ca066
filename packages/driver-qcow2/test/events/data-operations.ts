/** Reads, writes, zero writes, discards, and how tables grow meanwhile. */

import { createSnapshot } from '@blocklayer/block-core'
import { filled } from '@blocklayer/block-core/testing'
import { KiB, MiB } from '../helpers/disk.ts'
import { flush, nothing, type Operation, steps, write } from './operation.ts'

const lazy = { lazyRefcounts: true }
const compress: Operation['act'] = (disk) => disk.writeCompressed(64 * KiB, filled(3, 64 * KiB))
const zero =
  (offset: number, mayUnmap = false): Operation['act'] =>
  (disk) =>
    disk.writeZeroes(offset * KiB, 64 * KiB, { mayUnmap })
const discard: Operation['act'] = (disk) => disk.discard(0, 64 * KiB)
const read =
  (offset: number): Operation['act'] =>
  (disk) =>
    disk.read(offset * KiB, new Uint8Array(64 * KiB))
const snapshot: Operation['act'] = (disk) => createSnapshot(disk, { name: 's', dateSeconds: 1, dateNanoseconds: 0 })

const saveState =
  (offset: number): Operation['act'] =>
  (disk) =>
    disk.writeVmState(offset * KiB, filled(2, 64 * KiB))

/** Until the table of 64 blocks of 64 clusters is full. */
const fillTable: Operation['act'] = async (disk) => {
  for (let at = 0; at < 2030592; at += 512) await disk.write(at, filled(1, 512))
}

/** The rows. */
export const dataOperations: readonly Operation[] = [
  {
    name: 'opening',
    act: nothing,
    part: 'open',
    reference: 'R R reftable_load R R R',
    ours: { order: 'R R R reftable_load R', because: 'header extensions are read with the header' },
  },
  { name: 'closing', act: nothing, part: 'close', reference: 'flush_to_os' },
  {
    name: 'first allocating write',
    act: write(0, 64),
    reference:
      'cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l2_alloc_write l2_update W F l1_update W F cluster_alloc refblock_alloc refblock_load write_aio W',
  },
  {
    name: 'the same, version 2',
    create: { compat: '0.10' },
    act: write(0, 64),
    reference:
      'cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l2_alloc_write l2_update W F l1_update W F cluster_alloc refblock_alloc refblock_load write_aio W',
  },
  {
    name: 'closing after it',
    act: write(0, 64),
    part: 'close',
    reference: 'flush_to_os refblock_update_part W F l2_update W flush_to_disk F',
  },
  {
    name: 'allocating write where the L2 table exists, and flush',
    prepare: write(0, 64),
    act: steps(write(64, 64), flush),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W flush_to_os refblock_update_part W F l2_update W flush_to_disk F',
  },
  {
    name: 'two of them, and flush',
    prepare: write(0, 64),
    act: steps(write(64, 64), write(128, 64), flush),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W cluster_alloc refblock_alloc refblock_load write_aio W flush_to_os refblock_update_part W F l2_update W flush_to_disk F',
  },
  {
    name: 'partial allocating write, all around it known to be zero',
    prepare: write(0, 64),
    act: write(68, 4),
    reference: 'l2_load R cluster_alloc R refblock_alloc refblock_load cluster_alloc_space Z write_aio W',
  },
  {
    name: 'partial allocating write over backing data',
    backing: true,
    prepare: write(0, 64),
    act: write(68, 4),
    reference: 'l2_load R cluster_alloc R refblock_alloc refblock_load cow_read read_backing_aio write_aio cow_write W',
  },
  {
    name: 'partial allocating write over backing data, too much in the middle for one read',
    backing: true,
    prepare: write(0, 64),
    act: write(68, 20),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load cow_read read_backing_aio cow_read read_backing_aio write_aio cow_write W',
  },
  {
    name: 'overwriting in place, and flush',
    prepare: write(0, 64),
    act: steps((disk) => disk.write(512, filled(1, 512)), flush),
    reference: 'l2_load R write_aio W flush_to_os flush_to_disk F',
  },
  {
    name: 'a write over the end of what is allocated',
    prepare: write(0, 64),
    act: write(0, 128),
    reference: 'l2_load R R refblock_alloc refblock_load write_aio W',
  },
  {
    name: 'write to what a snapshot shares, and flush',
    prepare: steps(write(0, 64), snapshot),
    act: steps(write(4, 4), flush),
    reference:
      'cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l2_alloc_cow_read l2_load R l2_alloc_write l2_update W F l1_update W F cluster_free refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load cow_read read_aio R write_aio cow_write W F cluster_free refblock_update_part W F refblock_alloc refblock_load flush_to_os l2_update W F refblock_update_part W flush_to_disk F',
    ours: {
      order:
        'cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l2_alloc_cow_read l2_load R l2_alloc_write l2_update W F l1_update W F cluster_free refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load cow_read read_aio R write_aio cow_write W cluster_free refblock_update_part W F refblock_alloc refblock_load flush_to_os l2_update W F refblock_update_part W flush_to_disk F',
      because: 'the flush that comes with the refcount block makes the copied data durable before its entry',
    },
  },
  {
    name: 'write over a compressed cluster, and flush',
    prepare: steps(write(0, 64), compress),
    act: steps(write(64, 4), flush),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load cow_read read_compressed R R write_aio cow_write W cluster_free refblock_update_part W F refblock_alloc refblock_load flush_to_os l2_update W F refblock_update_part W flush_to_disk F',
    ours: {
      order:
        'l2_load R cluster_alloc R refblock_alloc refblock_load cow_read read_compressed R write_aio cow_write W cluster_free refblock_update_part W F refblock_alloc refblock_load flush_to_os l2_update W F refblock_update_part W flush_to_disk F',
      because:
        'the end of the file is read once, and the flush that comes with the refcount block makes the copied data durable before its entry',
    },
  },
  {
    name: 'zero write, clusters kept, and flush',
    prepare: write(0, 64),
    act: steps(zero(0), flush),
    reference: 'l2_load R flush_to_os l2_update W flush_to_disk F',
  },
  {
    name: 'zero write where nothing is, and flush',
    prepare: write(0, 64),
    act: steps(zero(64), flush),
    reference: 'l2_load R flush_to_os l2_update W flush_to_disk F',
  },
  {
    name: 'write over a zero flag that has a cluster, and flush',
    prepare: steps(write(0, 64), zero(0)),
    act: steps(write(0, 4), flush),
    reference: 'l2_load R cluster_alloc_space Z write_aio W flush_to_os F l2_update W flush_to_disk F',
  },
  {
    name: 'zero write that may unmap, and flush',
    prepare: write(0, 64),
    act: steps(zero(0, true), flush),
    reference:
      'l2_load R cluster_free refblock_alloc refblock_load R P flush_to_os l2_update W F refblock_update_part W flush_to_disk F',
    ours: {
      order:
        'l2_load R cluster_free refblock_alloc refblock_load R flush_to_os l2_update W F P refblock_update_part W flush_to_disk F',
      because: 'holes are punched when the entries that lead there are durably gone',
    },
  },
  {
    name: 'discard, and flush',
    prepare: write(0, 64),
    act: steps(discard, flush),
    reference:
      'l2_load R cluster_free refblock_alloc refblock_load R P flush_to_os l2_update W F refblock_update_part W flush_to_disk F',
    ours: {
      order:
        'l2_load R cluster_free refblock_alloc refblock_load R flush_to_os l2_update W F P refblock_update_part W flush_to_disk F',
      because: 'holes are punched when the entries that lead there are durably gone',
    },
  },
  {
    name: 'compressed write, and flush',
    prepare: write(0, 64),
    act: steps(compress, flush),
    reference:
      'l2_load R cluster_alloc_bytes R refblock_alloc refblock_load l2_update_compressed write_compressed W flush_to_os refblock_update_part W F l2_update W flush_to_disk F',
  },
  { name: 'read', prepare: write(0, 64), act: read(0), reference: 'l2_load R read_aio R' },
  {
    name: 'read of the backing file',
    backing: true,
    prepare: write(0, 64),
    act: read(64),
    reference: 'l2_load R read_backing_aio',
  },
  { name: 'read of nothing', prepare: write(0, 64), act: read(64), reference: 'l2_load R' },
  {
    name: 'compressed read',
    prepare: steps(write(0, 64), compress),
    act: read(64),
    reference: 'l2_load R read_compressed R R',
    ours: { order: 'l2_load R read_compressed R', because: 'the end of the file is read once' },
  },
  {
    name: 'saving machine state',
    prepare: write(0, 64),
    act: saveState(0),
    reference:
      'vmstate_save l1_grow_alloc_table cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l1_grow_write_table W F l1_grow_activate_table W F cluster_free refblock_alloc refblock_load cluster_alloc refblock_alloc refblock_load refblock_update_part W F l2_alloc_write l2_update W F l1_update W F cluster_alloc refblock_alloc refblock_load write_aio W',
  },
  {
    name: 'saving more machine state, and flush',
    prepare: steps(write(0, 64), saveState(0)),
    act: steps(saveState(64), flush),
    reference:
      'vmstate_save l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W flush_to_os refblock_update_part W F l2_update W flush_to_disk F',
  },
  {
    name: 'saving machine state over itself',
    prepare: steps(write(0, 64), saveState(0)),
    act: saveState(0),
    reference: 'vmstate_save l2_load R write_aio W',
  },
  {
    name: 'loading machine state',
    prepare: steps(write(0, 64), saveState(0)),
    act: (disk) => disk.readVmState(0, new Uint8Array(64 * KiB)),
    reference: 'vmstate_load l2_load R read_aio R',
  },
  {
    name: 'loading machine state that is not there',
    prepare: write(0, 64),
    act: (disk) => disk.readVmState(0, new Uint8Array(64 * KiB)),
    reference: 'vmstate_load',
  },
  {
    name: 'lazy refcounts: first write, and flush',
    create: lazy,
    prepare: write(0, 64),
    act: steps(write(64, 64), flush),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W W F flush_to_os l2_update W flush_to_disk F',
  },
  {
    name: 'lazy refcounts: two writes, and flush',
    create: lazy,
    prepare: write(0, 64),
    act: steps(write(64, 64), write(128, 64), flush),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W W F cluster_alloc refblock_alloc refblock_load write_aio W flush_to_os l2_update W flush_to_disk F',
    ours: {
      order:
        'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W W F cluster_alloc refblock_alloc refblock_load write_aio W flush_to_os F l2_update W flush_to_disk F',
      because: 'data is durable before its entry',
    },
  },
  {
    name: 'lazy refcounts: closing',
    create: lazy,
    prepare: write(0, 64),
    act: steps(write(64, 64), flush),
    part: 'close',
    reference: 'flush_to_os refblock_update_part W F W F',
  },
  {
    name: 'a new refcount block, and flush',
    create: { clusterSize: 512 },
    size: 256 * KiB,
    prepare: write(0, 112),
    act: steps(write(112, 16), flush),
    reference:
      'l2_load R cluster_alloc R refblock_alloc refblock_load refblock_alloc refblock_alloc_write refblock_update_part W refblock_update_part W F refblock_alloc_hookup W F refblock_alloc refblock_load refblock_alloc refblock_load refblock_alloc refblock_load write_aio W F flush_to_os refblock_update_part W refblock_update_part W F l2_update W flush_to_disk F',
    ours: {
      order:
        'l2_load R cluster_alloc R refblock_alloc refblock_load refblock_alloc refblock_alloc_write refblock_update_part W refblock_update_part W F refblock_alloc_hookup W F refblock_alloc refblock_load refblock_alloc refblock_load write_aio W flush_to_os refblock_update_part W refblock_update_part W F l2_update W flush_to_disk F',
      because: 'what was counted before the block was missing stays counted, and no write waits for a flush in between',
    },
  },
  {
    name: 'growth of the refcount table',
    create: { clusterSize: 512, refcountBits: 64 },
    size: 4 * MiB,
    warmUp: fillTable,
    act: (disk) => disk.write(2030592, filled(1, 512)),
    reference:
      'cluster_alloc refblock_alloc refblock_update_part W F l2_update W F refblock_alloc_write refblock_update_part W F reftable_grow refblock_alloc_write_blocks refblock_update_part W refblock_update_part W F refblock_alloc_write_table W F refblock_alloc_switch_table W F cluster_free refblock_alloc refblock_load R refblock_load refblock_alloc refblock_load write_aio W',
  },
]
