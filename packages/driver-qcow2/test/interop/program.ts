/** What is written into every image of the interop matrix, by either side, and what the disk then shows. */

import { lengthOf, type Row } from './matrix.ts'

/** One request; bytes. */
export interface Request {
  readonly kind: 'write' | 'compressed' | 'zeroes' | 'unmap'
  readonly offset: number
  readonly bytes: number
  readonly pattern: number
}

/** A range of one byte. */
export interface ByteRun {
  readonly start: number
  readonly bytes: number
  readonly value: number
}

/** Bytes of a backing file: `pattern` everywhere, but for a gap. */
export function backingContent(length: number): Uint8Array {
  const content = new Uint8Array(length).fill(200)
  return content.fill(0, Math.floor(length / 3072) * 1024, Math.floor(length / 1536) * 512)
}

/** What fills a new image: parts of clusters, runs of them, zeroes inside, compressed ones where nothing is yet. */
export function firstRequests(row: Row): Request[] {
  const { clusterSize } = row
  const at = (clusters: number): number => Math.floor((clusters * clusterSize) / 512) * 512
  const length = lengthOf(row)
  return [
    { kind: 'write', offset: at(0.75), bytes: at(1.5), pattern: 11 },
    { kind: 'write', offset: at(3) + 512 * (clusterSize > 512 ? 1 : 0), bytes: 512, pattern: 12 },
    ...compressed(row, 4, 13, 14, 15),
    { kind: 'zeroes', offset: at(0.5), bytes: at(1), pattern: 0 },
    { kind: 'write', offset: length - 512, bytes: 512, pattern: 16 },
  ]
}

/** What the other side does to it: over compressed clusters, over zeroes, and beside both. */
export function laterRequests(row: Row): Request[] {
  const { clusterSize } = row
  const at = (clusters: number): number => Math.floor((clusters * clusterSize) / 512) * 512
  return [
    { kind: 'write', offset: at(4.5), bytes: at(1) || 512, pattern: 21 },
    ...compressed(row, 7, 22),
    { kind: 'write', offset: 0, bytes: at(1) - 512 || 512, pattern: 23 },
    { kind: 'unmap', offset: at(6), bytes: at(1), pattern: 0 },
  ]
}

/** Where clusters are preallocated they cannot be compressed, and in a data file none can. */
function compressed(row: Row, cluster: number, ...patterns: readonly number[]): Request[] {
  if (row.preallocation !== 'off' || row.dataFile !== 'none') return []
  return patterns.map((pattern, index) => ({
    kind: 'compressed',
    offset: (cluster + index) * row.clusterSize,
    bytes: row.clusterSize,
    pattern,
  }))
}

/** The disk of a row without any request. */
export function emptyModel(row: Row, backing: Uint8Array | undefined): Uint8Array {
  const model = new Uint8Array(lengthOf(row))
  if (backing !== undefined) model.set(backing.subarray(0, model.length))
  return model
}

/** Does the requests to a disk that is plain bytes. */
export function applyRequests(model: Uint8Array, requests: readonly Request[]): void {
  for (const { offset, bytes, pattern } of requests) model.fill(pattern, offset, offset + bytes)
}

/** The reference's words for a request. */
export function ioCommand({ kind, offset, bytes, pattern }: Request): string {
  if (kind === 'zeroes') return `write -q -z ${offset} ${bytes}`
  if (kind === 'unmap') return `write -q -z -u ${offset} ${bytes}`
  return `write -q ${kind === 'compressed' ? '-c ' : ''}-P ${pattern} ${offset} ${bytes}`
}

/** The runs of a disk whose content changes only between sectors. */
export function runsOf(bytes: Uint8Array): ByteRun[] {
  const runs: ByteRun[] = []
  for (let start = 0; start < bytes.length; ) {
    const value = bytes[start]!
    let end = start
    while (end < bytes.length && bytes[end] === value) end += 512
    runs.push({ start, bytes: end - start, value })
    start = end
  }
  return runs
}
