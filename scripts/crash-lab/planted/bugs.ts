/** The planted bugs. */
import { type PlantedBug, without } from './bug.ts'
import { droppingFlush, ignoringFlushes, swappingWrites } from './journal-changes.ts'

const emptying: readonly PlantedBug[] = [
  {
    title: 'emptying: no flush after the L1 table was zeroed',
    ofReference: true,
    change: without('features/make-empty.ts', '  // The reference has no flush here.\n  await file.flush()\n'),
    operation: 'makeEmpty-moved-l1/v3-512',
  },
  {
    title: 'emptying: no flush before the header points to what was zeroed',
    ofReference: true,
    change: without('features/make-empty.ts', '  // The reference has no flush here either.\n  await file.flush()\n'),
    operation: 'makeEmpty-moved-l1/v3-512',
  },
  {
    title: 'emptying: the L1 table is not zeroed first',
    change: without(
      'features/make-empty.ts',
      '  await zero(file, header.header.l1TableOffset, l1Clusters(parts) * clusterSize)\n',
    ),
    operation: 'makeEmpty-moved-l1/v3-512',
  },
  {
    title: 'emptying: no dirty mark',
    change: {
      file: 'features/make-empty.ts',
      find: '  await header.markDirty()\n  try {\n    await wipe(',
      replace: '  try {\n    await wipe(',
    },
    operation: 'makeEmpty/v3-512',
  },
  {
    title: 'emptying: the file is cut before anything is unmapped',
    change: {
      file: 'features/make-empty.ts',
      find: '    await wipe(parts)\n',
      replace: '    await file.truncate((3 + l1Clusters(parts)) * geometry.clusterSize)\n    await wipe(parts)\n',
    },
    operation: 'makeEmpty/v3-512',
  },
  {
    title: 'emptying, plain way: clusters are punched before their L2 entries are gone',
    ofReference: true,
    change: {
      file: 'refcount/refcounts.ts',
      find: "if (unlinked === 'on-disk') {",
      replace: 'if (discard !== undefined) {',
    },
    operation: 'makeEmpty/v2-512',
  },
]

const counts: readonly PlantedBug[] = [
  {
    title: 'L2 entry before the refcount of its cluster',
    change: without('mapping/link.ts', '      await l2Tables.cache.dependOn(refblockCache)\n'),
    operation: 'next-in-l2/v3-512',
  },
  {
    title: 'discard: refcount goes down before the L2 entry is gone',
    change: without(
      'refcount/refcounts.ts',
      "    if (delta < 0 && unlinked === 'in-cache') await refblocks.cache.dependOn(l2Cache)\n",
    ),
    operation: 'discard/v3-512',
  },
  {
    title: 'discard: clusters are used again before their L2 entries are gone',
    change: {
      file: 'refcount/refcounts.ts',
      find: "if (unlinked === 'on-disk') {",
      replace: 'if (discard !== undefined) {',
    },
    operation: 'reuse/v3-512',
  },
  {
    title: 'L2 table in use before it is counted',
    change: without('mapping/l2-table.ts', '      await refblockCache.flush()\n      await this.#fill(offset, old)\n'),
    operation: 'first-in-l2/v3-512',
  },
  {
    title: 'L1 entry before the L2 table',
    change: {
      file: 'mapping/l2-table.ts',
      find: '      await this.#fill(offset, old)\n      await cache.flush()\n',
      replace: '      await this.#fill(offset, old)\n',
    },
    operation: 'overwrite-in-snapshot/v3-512',
  },
  {
    title: 'refcount block hooked up before it is written',
    change: {
      file: 'refcount/grow.ts',
      find: '      cache.markDirty(slot)\n      await cache.flush()\n',
      replace: '      cache.markDirty(slot)\n',
    },
    operation: 'first-in-refblock/v3-512',
  },
  {
    title: 'header names the new refcount table before it is written',
    change: {
      file: 'refcount/grow.ts',
      find: '    await file.write(tableOffset, bytes)\n    await file.flush()\n',
      replace: '    await file.write(tableOffset, bytes)\n',
    },
    operation: 'growing-refcount-table/v3-512',
  },
  {
    title: 'lazy refcounts: L2 entry before the data',
    change: without('mapping/link.ts', '      l2Tables.cache.dependOnFlush()\n'),
    operation: 'reuse/lazy-512',
  },
  {
    title: 'dirty mark is cleared before the refcounts are written',
    change: {
      file: 'metadata/header-store.ts',
      find: '    await flushCaches()\n    try {\n      this.#mustStayDirty = false\n      await this.rewrite()\n',
      replace: '    try {\n      this.#mustStayDirty = false\n      await this.rewrite()\n      await flushCaches()\n',
    },
    operation: 'amend-not-lazy/lazy-512',
  },
]

const images: readonly PlantedBug[] = [
  {
    title: 'header names the new L1 table before it is written',
    change: {
      file: 'mapping/l1-table.ts',
      find: '      if (bytes.length > 0) await file.write(offset, bytes)\n      await file.flush()\n',
      replace: '      if (bytes.length > 0) await file.write(offset, bytes)\n',
    },
    operation: 'growing-l1/v3-512',
  },
  {
    title: 'new L1 table in use before it is counted',
    change: {
      file: 'mapping/l1-table.ts',
      find: '      await refblockCache.flush()\n      await overlap',
      replace: '      await overlap',
    },
    operation: 'growing-l1/v3-512',
  },
  {
    title: 'header names the new snapshot table before it is written',
    change: {
      file: 'features/snapshot/table-store.ts',
      find: '    await file.flush()\n    await header.storeSnapshotTable(',
      replace: '    await header.storeSnapshotTable(',
    },
    operation: 'snapshot-create/v3-512',
  },
  {
    title: 'shrinking: new tables in use before they are written',
    change: {
      file: 'features/resize/shrink.ts',
      find: '    await caches.flush()\n    await l1.switchTo(',
      replace: '    await l1.switchTo(',
    },
    operation: 'resize-down-l1/v3-512',
  },
  {
    title: 'header names the bitmap directory before it is written',
    change: {
      file: 'features/bitmap/persistent.ts',
      find: '  await caches.flush()\n  const bitmaps = ',
      replace: '  const bitmaps = ',
    },
    operation: 'bitmap-store/v3-512',
  },
  {
    title: 'bitmaps are not marked as in use',
    change: without(
      'features/bitmap/persistent.ts',
      '    await file.write(place.directoryOffset, encodeBitmapDirectory(entries))\n',
    ),
    operation: 'bitmap-store/v3-512',
  },
  {
    title: 'amend: header names the new refcounts before they are written',
    change: {
      file: 'features/amend/refcount-order.ts',
      find: '    await this.#write(this.#tableOffset, this.tableBytes())\n    await file.flush()\n',
      replace: '    await this.#write(this.#tableOffset, this.tableBytes())\n',
    },
    operation: 'amend-wider-counts/v3-4k',
  },
  {
    title: 'backing name: the first sector names what is behind it before that is written',
    change: {
      file: 'metadata/header-store.ts',
      find: 'await this.#file.write(start, cluster.subarray(start, end))\n    await this.#file.flush()\n',
      replace: 'await this.#file.write(start, cluster.subarray(start, end))\n',
    },
    operation: 'change-backing-long/v3-4k',
  },
  {
    title: 'backing name: the old one is overwritten while the first sector may still lead there',
    change: {
      file: 'metadata/header-store.ts',
      find: '    await this.#file.flush()\n    if (way ===',
      replace: '    if (way ===',
    },
    operation: 'change-backing-long/v3-4k',
  },
]

const fileLayers: readonly PlantedBug[] = [
  {
    title: 'commit: the base takes no flush',
    change: { journal: ignoringFlushes('base') },
    operation: 'commit/v3-512',
  },
  {
    title: 'data file: it takes no flush',
    change: { journal: ignoringFlushes('data') },
    operation: 'data-file-overwrite/v3-512',
  },
  {
    title: 'file layer loses the second flush of an allocating write',
    change: { journal: droppingFlush(1) },
    operation: 'first-in-l2/v3-512',
  },
  {
    title: 'file layer loses the fifth flush of a snapshot',
    change: { journal: droppingFlush(4) },
    operation: 'snapshot-create/v2-512',
  },
  {
    title: 'file layer swaps the new L1 table and the header that names it',
    change: { journal: swappingWrites(1) },
    operation: 'growing-l1/v3-512',
  },
  {
    title: 'file layer swaps the header and the new refcounts when a snapshot is deleted',
    change: { journal: swappingWrites(1) },
    operation: 'snapshot-delete/v3-512',
  },
]

/** All of them, in the order of the table in docs/fault-lab.md. */
export const plantedBugs: readonly PlantedBug[] = [...emptying, ...counts, ...images, ...fileLayers]
