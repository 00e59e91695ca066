/** The images that histories are played on: chosen by a seed, made by ours and by the reference with the same options. */

import { type Random, random } from '@blocklayer/block-core/testing'

/** A possible backing file. */
export interface BackingLayout {
  readonly name: 'b0' | 'b1'
  readonly format: 'raw' | 'qcow2'
  /** It is an overlay itself. */
  readonly backing?: 'b1'
  /** Bytes. */
  readonly length: number
  /** What it holds: requests in units of 512 bytes. */
  readonly writes: readonly { readonly offset: number; readonly bytes: number; readonly pattern: number }[]
}

/** How the disk's size may change in a history. See `resizes`. */
export type Resizes = 'whole clusters' | 'growth only' | 'never'

/** One kind of image. */
export interface Layout {
  readonly version: 2 | 3
  readonly clusterSize: number
  readonly refcountBits: number
  readonly lazyRefcounts: boolean
  readonly extendedL2: boolean
  readonly compression: 'zlib' | 'zstd'
  /** Whether the guest's data lies in `image.data`, and whether that shows by itself what the guest sees. */
  readonly dataFile: 'none' | 'plain' | 'raw'
  readonly preallocation: 'off' | 'metadata' | 'falloc' | 'full'
  /** Bytes. */
  readonly length: number
  readonly backing: 'b0' | undefined
  /** Both exist, named or not: a step may take the other. */
  readonly backings: readonly BackingLayout[]
  /**
   * A disk that was cut inside a cluster, and grows again, shows there what it held before in the reference, and zeroes in
   * ours (docs/differences.md): histories that end disks inside of clusters do not cut them.
   */
  readonly resizes: Resizes
  /** Where our images lie: bytes in memory, or files. */
  readonly storage: 'memory' | 'file'
}

const KiB = 1024

/** The layout of a seed. */
export function chooseLayout(choose: Random): Layout {
  const version = choose.pick([2, 3, 3, 3] as const)
  const clusterSize = choose.pick([512, 512, 1024, 4096, 4096, 16384, 65536, 65536, 262144, 2048 * KiB])
  const clusters = clusterSize <= 4096 ? 40 + choose.below(200) : clusterSize <= 65536 ? 20 + choose.below(40) : 6
  const resizes = choose.pick<Resizes>(['whole clusters', 'whole clusters', 'growth only', 'never'])
  const ragged = resizes !== 'whole clusters' && clusterSize > 512
  const length = clusters * clusterSize - (ragged ? 512 * (1 + choose.below(clusterSize / 512 - 1)) : 0)
  const hasBacking = choose.chance(0.6)
  // The one below comes first: it is made first.
  const upper = chooseBacking('b0', length, clusterSize, choose)
  const lower = chooseBacking('b1', length, clusterSize, choose)
  const isChain = upper.format === 'qcow2' && random(choose.seed + 2 ** 30).chance(0.35)
  const backings = [lower, isChain ? { ...upper, backing: 'b1' as const } : upper]
  // Holes of a raw file read as zeroes, and what reads as zeroes is zeroed by flags: memory has none.
  const needsHoles = backings.some(({ format }) => format === 'raw')
  // Numbers of their own: the other choices of a seed stay what they were.
  const more = random(choose.seed + 2 ** 31)
  const extendedL2 = version === 3 && clusterSize >= 16384 && more.chance(0.4)
  const compression = version === 3 && more.chance(0.25) ? 'zstd' : 'zlib'
  const dataFile = version === 3 && more.chance(0.3) ? more.pick(['plain', 'plain', 'raw'] as const) : 'none'
  // Nothing is below a raw data file, which shows all of the disk.
  const backing = hasBacking && dataFile !== 'raw' ? 'b0' : undefined
  const refcountBits = version === 2 ? 16 : choose.pick([1, 2, 4, 8, 16, 16, 32, 64])
  const lazyRefcounts = version === 3 && choose.chance(0.25)
  const preallocation = hasBacking || choose.chance(0.7) ? 'off' : choose.pick(['metadata', 'falloc', 'full'] as const)
  const storage = needsHoles ? 'file' : choose.pick(['memory', 'memory', 'memory', 'file'] as const)
  return {
    version,
    clusterSize,
    refcountBits,
    lazyRefcounts,
    extendedL2,
    compression,
    dataFile,
    preallocation,
    length,
    backing,
    backings,
    resizes,
    // The reference opens a data file by its bare name, from where it runs.
    storage: dataFile === 'none' ? storage : 'file',
  }
}

function chooseBacking(name: 'b0' | 'b1', over: number, clusterSize: number, choose: Random): BackingLayout {
  const half = Math.max(512, Math.floor(over / 1024) * 512)
  const length = over + choose.pick([0, 0, -half, half, -512, 512, clusterSize])
  const writes = Array.from({ length: 4 + choose.below(4) }, () => {
    const offset = choose.below(length / 512) * 512
    const bytes = Math.min(length - offset, (1 + choose.below(length / 2048)) * 512)
    return { offset, bytes, pattern: 1 + choose.below(255) }
  })
  return { name, format: choose.pick(['raw', 'qcow2', 'qcow2', 'qcow2'] as const), length, writes }
}

/** What the image calls its data file. */
export const dataFileName = 'image.data'

/** Creation options as both sides are given them. */
export function creationOptions(layout: Layout): Record<string, string> {
  const { version, clusterSize, refcountBits, lazyRefcounts, preallocation, extendedL2, compression, dataFile } = layout
  return {
    compat: version === 2 ? '0.10' : '1.1',
    cluster_size: String(clusterSize),
    refcount_bits: String(refcountBits),
    lazy_refcounts: lazyRefcounts ? 'on' : 'off',
    preallocation,
    extended_l2: extendedL2 ? 'on' : 'off',
    compression_type: compression,
    ...(dataFile === 'none' ? {} : { data_file: dataFileName, data_file_raw: dataFile === 'raw' ? 'on' : 'off' }),
  }
}

/** For people. */
export function layoutText(layout: Layout): string {
  const { version, clusterSize, refcountBits, lazyRefcounts, preallocation, length, backing, storage } = layout
  const below = layout.backings.find(({ name }) => name === backing)
  return [
    `v${version}, clusters of ${clusterSize}, refcounts of ${refcountBits} bits, ${length} bytes, in ${storage}`,
    lazyRefcounts ? ', lazy refcounts' : '',
    layout.extendedL2 ? ', subclusters' : '',
    layout.compression === 'zstd' ? ', zstd' : '',
    layout.dataFile === 'none' ? '' : `, ${layout.dataFile} data file`,
    preallocation === 'off' ? '' : `, preallocation=${preallocation}`,
    below === undefined ? '' : `, over ${below.format} of ${below.length} bytes`,
    below?.backing === undefined ? '' : ' with a backing file of its own',
  ].join('')
}
