/**
 * Proves that requests and the events before them come in the reference's order, which is what blkdebug rules and crash
 * safety are about. The expected orders are those observed from the reference (spec/qcow2.md, section 5); where ours
 * differs on purpose, the test says so.
 */

import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import type { BlockBackend } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { KiB, MiB, newImage, openDisk } from './helpers/disk.ts'

const cluster = 64 * KiB

/** What reaches the file while `act` runs, after `prepare` and a flush. */
async function trace(
  prepare: (disk: BlockBackend) => Promise<void>,
  act: (disk: BlockBackend) => Promise<void>,
  options: { readonly lazy?: boolean; readonly backing?: boolean; readonly reopen?: boolean } = {},
): Promise<string> {
  const store = new MemoryStore(await newImage(MiB, { lazyRefcounts: options.lazy === true }))
  const backing = options.backing === true ? new MemoryStore(await newImage(MiB)) : undefined
  if (backing !== undefined) {
    await using below = await openDisk(backing)
    await below.disk.write(0, filled(7, MiB))
  }
  const log: string[] = []
  const first = await openDisk(store, { log, backing, unmap: true })
  await prepare(first.disk)
  await first.disk.flush()
  let opened = first
  if (options.reopen !== false) {
    await first.close()
    opened = await openDisk(store, { log, backing, unmap: true })
  }
  log.length = 0
  await act(opened.disk)
  // The file announces its own writes too; they say no more than the requests themselves.
  const text = log.filter((entry) => !entry.startsWith('pwritev')).join(' ')
  await opened.close()
  return text
}

const nothing = async (): Promise<void> => undefined
const write = (offset: number, bytes: number) => (disk: BlockBackend) => disk.write(offset, filled(1, bytes))
const flush = (disk: BlockBackend) => disk.flush()

test('first allocating write of a new image', async () => {
  expect(await trace(nothing, write(0, cluster))).toBe(
    'cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l2_alloc_write l2_update W F l1_update W F ' +
      'cluster_alloc refblock_alloc refblock_load write_aio W',
  )
})

test('its flush: refcounts, then L2 entries', async () => {
  const act = async (disk: BlockBackend): Promise<void> => {
    await write(0, cluster)(disk)
    await flush(disk)
  }
  expect(await trace(nothing, act)).toMatch(
    / write_aio W flush_to_os refblock_update_part W F l2_update W flush_to_disk F$/,
  )
})

test('allocating write where the L2 table exists', async () => {
  expect(await trace(write(0, cluster), write(cluster, cluster))).toBe(
    'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W',
  )
})

test('partial allocating write, all around it known to be zero', async () => {
  expect(await trace(write(0, cluster), write(cluster + 4096, 4096))).toBe(
    'l2_load R cluster_alloc R refblock_alloc refblock_load cluster_alloc_space Z write_aio W',
  )
})

test('partial allocating write over backing data', async () => {
  expect(await trace(write(0, cluster), write(cluster + 4096, 4096), { backing: true })).toBe(
    'l2_load R cluster_alloc R refblock_alloc refblock_load cow_read read_backing_aio write_aio cow_write W',
  )
})

test('partial allocating write over backing data, too much in the middle for one read', async () => {
  expect(await trace(write(0, cluster), write(cluster + 4096, 20 * KiB), { backing: true })).toBe(
    'l2_load R cluster_alloc R refblock_alloc refblock_load cow_read read_backing_aio cow_read read_backing_aio ' +
      'write_aio cow_write W',
  )
})

test('overwriting in place', async () => {
  expect(await trace(write(0, cluster), write(512, 512))).toBe('l2_load R write_aio W')
})

test('a write over the end of what is allocated goes on in the next host cluster, in one piece', async () => {
  expect(await trace(write(0, cluster), write(0, 2 * cluster))).toBe(
    'l2_load R R refblock_alloc refblock_load write_aio W',
  )
})

test('zero write, clusters kept', async () => {
  const act = async (disk: BlockBackend): Promise<void> => {
    await disk.writeZeroes(0, cluster)
    await flush(disk)
  }
  expect(await trace(write(0, cluster), act)).toBe('l2_load R flush_to_os l2_update W flush_to_disk F')
})

test('discard: the hole is punched when the entry is durably gone, not before it as in the reference', async () => {
  const act = async (disk: BlockBackend): Promise<void> => {
    await disk.discard(0, cluster)
    await flush(disk)
  }
  expect(await trace(write(0, cluster), act)).toBe(
    'l2_load R cluster_free refblock_alloc refblock_load R ' +
      'flush_to_os l2_update W F P refblock_update_part W flush_to_disk F',
  )
})

test('reads announce where their bytes come from', async () => {
  const read = (offset: number) => (disk: BlockBackend) => disk.read(offset, new Uint8Array(cluster))
  expect(await trace(write(0, cluster), read(0), { backing: true })).toBe('l2_load R read_aio R')
  expect(await trace(write(0, cluster), read(cluster), { backing: true })).toBe('l2_load R read_backing_aio')
  expect(await trace(write(0, cluster), read(cluster))).toBe('l2_load R')
})

test('lazy refcounts: dirty mark before the first link; refcounts only at close', async () => {
  const act = async (disk: BlockBackend): Promise<void> => {
    await write(cluster, cluster)(disk)
    await flush(disk)
  }
  expect(await trace(write(0, cluster), act, { lazy: true })).toBe(
    'l2_load R cluster_alloc R refblock_alloc refblock_load write_aio W W F flush_to_os l2_update W flush_to_disk F',
  )
})

test('lazy refcounts, once dirty: the data is durable before its entry, which costs a flush more than the reference', async () => {
  const act = async (disk: BlockBackend): Promise<void> => {
    await write(cluster, cluster)(disk)
    await flush(disk)
  }
  expect(await trace(write(0, cluster), act, { lazy: true, reopen: false })).toBe(
    'cluster_alloc refblock_alloc refblock_load write_aio W flush_to_os F l2_update W flush_to_disk F',
  )
})

test('growing the L1 table', async () => {
  expect(await trace(nothing, (disk) => disk.truncate(1024 * MiB))).toBe(
    'l1_grow_alloc_table cluster_alloc R refblock_alloc refblock_load refblock_update_part W F l1_grow_write_table W F ' +
      'l1_grow_activate_table W F cluster_free refblock_alloc refblock_load W F',
  )
})

// Every event of the reference's table that has no order of its own above.
test('shrinking announces the new L1 table and the freeing of the old one', async () => {
  const text = await trace(write(0, MiB), (disk) => disk.truncate(512 * KiB))
  expect(text).toMatch(
    / l1_shrink_write_table W F W F (cluster_free refblock_alloc refblock_load )?l1_shrink_free_l2_clusters cluster_free /,
  )
})
