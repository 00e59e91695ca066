/** Cuts a disk's pieces into whole clusters, leaving out those without data. */

import { type DiskPiece, isZero } from '@blocklayer/block-core/driver'

/** A cluster with data, valid until the next is asked for. */
export interface WholeCluster {
  /** Number of the guest cluster. */
  readonly cluster: number
  /** A whole cluster, zeroes behind the end of the disk. */
  readonly data: Uint8Array
}

/** What `wholeClusters` found out on its way. */
export interface DiskLength {
  /** Bytes; complete when the last cluster has come. */
  length: number
}

/**
 * The clusters of a disk that have data, in guest order.
 *
 * @param keepZeroes - a cluster that only a piece with data reaches into counts, even if that is all zeroes
 * @param measured - gets the length of the disk
 */
export async function* wholeClusters(
  pieces: AsyncIterable<DiskPiece>,
  options: { readonly clusterSize: number; readonly keepZeroes: boolean; readonly measured: DiskLength },
): AsyncGenerator<WholeCluster> {
  const { clusterSize, keepZeroes, measured } = options
  const partial = new Uint8Array(clusterSize)
  let hasData = false
  let length = 0
  const isWanted = (data: Uint8Array): boolean => keepZeroes || !isZero(data)
  for await (const { offset, bytes, data } of pieces) {
    for (let done = 0; done < bytes; ) {
      const at = offset + done
      const inCluster = at % clusterSize
      const cluster = (at - inCluster) / clusterSize
      const part = Math.min(clusterSize - inCluster, bytes - done)
      // Long runs of zeroes are stepped over in one go.
      const isSkipped = data === undefined && inCluster === 0
      done += isSkipped ? Math.max(part, Math.floor((bytes - done) / clusterSize) * clusterSize) : part
      if (data !== undefined && part === clusterSize) {
        const whole = data.subarray(done - part, done)
        if (isWanted(whole)) yield { cluster, data: whole }
        continue
      }
      if (data !== undefined) {
        partial.set(data.subarray(done - part, done), inCluster)
        hasData = true
      }
      if (inCluster + part < clusterSize || !hasData) continue
      if (isWanted(partial)) yield { cluster, data: partial }
      partial.fill(0)
      hasData = false
    }
    length = offset + bytes
    measured.length = length
  }
  if (hasData && isWanted(partial)) yield { cluster: Math.floor((length - 1) / clusterSize), data: partial }
}
