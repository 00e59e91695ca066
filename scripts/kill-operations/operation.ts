/** What is done to the image that is killed: values that the child reports, and both sides understand. */

/** A run of sectors that gets new content. */
export interface SectorRun {
  /** First sector (512 bytes each). */
  readonly first: number
  readonly count: number
}

/** One operation. A write fills every sector with `stamp`, as 32-bit little-endian words. */
export type Operation =
  | { readonly kind: 'write' | 'compressed'; readonly runs: readonly SectorRun[]; readonly stamp: number }
  | { readonly kind: 'zero' | 'unmap' | 'discard'; readonly runs: readonly SectorRun[] }
  | { readonly kind: 'flush' | 'reopen' | 'repair' | 'empty' | 'commit' | 'rename backing' }
  | { readonly kind: 'snapshot' | 'apply' | 'delete'; readonly name: string }
  | { readonly kind: 'add bitmap' | 'remove bitmap'; readonly name: string }
  | { readonly kind: 'resize'; readonly sectors: number }
  | { readonly kind: 'amend'; readonly options: Readonly<Record<string, string>> }

/** Name of an operation's kind. */
export type OperationKind = Operation['kind']

/** A line that the child writes: before an operation, after it, or when one failed as it may or may not. */
export type ReportLine =
  | { readonly begun: Operation }
  | { readonly done: true }
  | { readonly refused: string }
  | { readonly failed: string }

/** How the image of a lane was made. */
export interface Layout {
  readonly name: string
  /** Options of `qemu-img create -o`. */
  readonly options: string
  readonly clusterSectors: number
  /** 0.10 has neither zero clusters nor bitmaps. */
  readonly compat: '0.10' | '1.1'
  readonly backing: boolean
}

/** Sectors of a new image: 2 MiB, several L2 tables where clusters are small. */
export const newSectors = 4096

/** Layouts that lanes go through in turn. */
export const layouts: readonly Layout[] = [
  layout('default', 'cluster_size=65536', 128),
  layout('overlay', 'cluster_size=65536', 128, { backing: true }),
  layout('lazy refcounts', 'cluster_size=4096,lazy_refcounts=on', 8),
  layout('small clusters', 'cluster_size=512,refcount_bits=64', 1),
  layout('version 2', 'compat=0.10,cluster_size=4096', 8, { compat: '0.10' }),
  layout('version 2 overlay', 'compat=0.10,cluster_size=4096', 8, { backing: true, compat: '0.10' }),
  layout('lazy overlay', 'cluster_size=4096,lazy_refcounts=on,refcount_bits=1', 8, { backing: true }),
]

function layout(
  name: string,
  options: string,
  clusterSectors: number,
  { backing = false, compat = '1.1' }: Partial<Pick<Layout, 'backing' | 'compat'>> = {},
): Layout {
  return { name, options, clusterSectors, compat, backing }
}
