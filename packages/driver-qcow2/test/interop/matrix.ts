/** The images of the interop matrix: every combination of options that changes what lies on disk. */

const KiB = 1024

/** What lies below an image. */
export interface BackingKind {
  readonly format: 'raw' | 'qcow2'
  /** Compared with the image. */
  readonly extent: 'shorter' | 'longer'
}

/** One combination. */
export interface Row {
  readonly version: 2 | 3
  readonly clusterSize: number
  readonly refcountBits: number
  readonly extendedL2: boolean
  readonly compression: 'zlib' | 'zstd'
  /** Whether the guest's data lies in a file of its own, and whether that shows by itself what the guest sees. */
  readonly dataFile: 'none' | 'plain' | 'raw'
  readonly preallocation: 'off' | 'metadata' | 'falloc' | 'full'
  readonly backing: BackingKind | undefined
}

/** Preallocation or a backing file: both at once only with subclusters. */
type Below = Pick<Row, 'preallocation' | 'backing'>

const backings: readonly BackingKind[] = (['raw', 'qcow2'] as const).flatMap((format) =>
  (['shorter', 'longer'] as const).map((extent) => ({ format, extent })),
)
const preallocations: readonly Below[] = (['off', 'metadata', 'falloc', 'full'] as const).map((preallocation) => ({
  preallocation,
  backing: undefined,
}))
const overlays: readonly Below[] = backings.map((backing) => ({ preallocation: 'off', backing }))
const preallocatedOverlays: readonly Below[] = (['metadata', 'falloc', 'full'] as const).map((preallocation) => ({
  preallocation,
  backing: { format: 'raw', extent: 'longer' },
}))

/** All rows. */
export const rows: readonly Row[] = [
  ...product({ version: 2, clusterSizes: [512, 4 * KiB, 64 * KiB, 2048 * KiB], widths: [16] }),
  ...product({ version: 3, clusterSizes: [512, 4 * KiB, 64 * KiB, 1024 * KiB], widths: [1, 16, 64] }),
  ...product({ version: 3, clusterSizes: [4 * KiB, 64 * KiB], widths: [8], compression: 'zstd' }),
  ...product({ version: 3, clusterSizes: [16 * KiB, 64 * KiB], widths: [2, 32], extendedL2: true }),
  ...product({ version: 3, clusterSizes: [256 * KiB], widths: [4], extendedL2: true, compression: 'zstd' }),
  ...product({ version: 3, clusterSizes: [512, 64 * KiB], widths: [16], dataFile: 'plain' }),
  ...product({ version: 3, clusterSizes: [16 * KiB, 256 * KiB], widths: [8], dataFile: 'plain', extendedL2: true }),
  ...product({ version: 3, clusterSizes: [4 * KiB, 64 * KiB], widths: [1, 64], dataFile: 'raw' }),
  ...product({ version: 3, clusterSizes: [16 * KiB, 64 * KiB], widths: [32], dataFile: 'raw', extendedL2: true }),
]

interface Axes extends Partial<Pick<Row, 'extendedL2' | 'compression' | 'dataFile'>>, Pick<Row, 'version'> {
  readonly clusterSizes: readonly number[]
  readonly widths: readonly number[]
}

function product(axes: Axes): Row[] {
  const { clusterSizes, widths, version, extendedL2 = false, compression = 'zlib', dataFile = 'none' } = axes
  // A raw data file shows all of the disk by itself: nothing can be below it.
  const all = [...preallocations, ...overlays, ...(extendedL2 ? preallocatedOverlays : [])]
  const belows = dataFile === 'raw' ? preallocations : all
  return clusterSizes.flatMap((clusterSize) =>
    widths.flatMap((refcountBits) =>
      belows.map((below) => ({ version, clusterSize, refcountBits, extendedL2, compression, dataFile, ...below })),
    ),
  )
}

/** Bytes of the row's disk: some clusters, and a part of one. */
export function lengthOf({ clusterSize }: Row): number {
  const clusters = clusterSize <= 4 * KiB ? 60 : clusterSize <= 64 * KiB ? 20 : 9
  return clusters * clusterSize - (clusterSize > 512 ? 512 : 0)
}

/** Bytes of what lies below the row's disk. */
export function backingLengthOf(row: Row, { extent }: BackingKind): number {
  const length = lengthOf(row)
  return extent === 'longer' ? length + 5 * 512 : Math.floor(length / 1024) * 512 + 512
}

/** For names of tests and of files. */
export function rowName(row: Row): string {
  const { version, clusterSize, refcountBits, extendedL2, compression, dataFile, preallocation, backing } = row
  return [
    `v${version}`,
    `${clusterSize}`,
    `${refcountBits} bits`,
    ...(extendedL2 ? ['subclusters'] : []),
    ...(compression === 'zstd' ? ['zstd'] : []),
    ...(dataFile === 'none' ? [] : [`${dataFile} data file`]),
    ...(preallocation === 'off' ? [] : [preallocation]),
    ...(backing === undefined ? [] : [`over ${backing.extent} ${backing.format}`]),
  ].join(', ')
}
