/** Shapes of the images that the operations run on. */
import type { Qcow2CreateOptions } from '@blocklayer/driver-qcow2'

/** One shape. */
export interface Shape {
  readonly name: string
  /** Bytes. */
  readonly clusterSize: number
  /** Entries of a refcount block. */
  readonly refblockEntries: number
  readonly version: 2 | 3
  readonly lazy: boolean
  readonly create: Qcow2CreateOptions
}

const shape = (name: string, clusterSize: number, refcountBits: number, create: Qcow2CreateOptions): Shape => ({
  name,
  clusterSize,
  refblockEntries: (clusterSize * 8) / refcountBits,
  version: create.compat === '0.10' ? 2 : 3,
  lazy: create.lazyRefcounts === true,
  create: { clusterSize, ...(refcountBits === 16 ? {} : { refcountBits }), ...create },
})

/** Versions 2 and 3, lazy refcounts, extended L2 entries, the smallest clusters (with the widest counts, so that blocks fill soon) and the default. */
export const shapes: readonly Shape[] = [
  shape('v3-512', 512, 64, {}),
  shape('v2-512', 512, 16, { compat: '0.10' }),
  shape('lazy-512', 512, 64, { lazyRefcounts: true }),
  shape('v3-4k', 4096, 16, {}),
  shape('ext-16k', 16384, 16, { extendedL2: true }),
  shape('v3-64k', 65536, 16, {}),
  shape('v2-64k', 65536, 16, { compat: '0.10' }),
  shape('lazy-64k', 65536, 16, { lazyRefcounts: true }),
]

/** Whether clusters are so small that tables have few entries. */
export const isSmall = ({ clusterSize }: Shape): boolean => clusterSize === 512

/** Whether clusters have subclusters. */
export const isExtended = ({ create }: Shape): boolean => create.extendedL2 === true

/** Whether the refcount blocks are full after a few clusters. */
export const hasWideCounts = ({ refblockEntries }: Shape): boolean => refblockEntries === 64
