/** What a check has found so far: counts that grow while its steps run. */

import type { CheckResult, RepairMode } from '@blocklayer/block-core/driver'

/** Mutable counts of one check; `result` gives them out. */
export class Findings {
  /** Whether leaks are to be mended. */
  readonly fixLeaks: boolean
  /** Whether corruptions are to be mended. */
  readonly fixErrors: boolean
  corruptions = 0
  leaks = 0
  checkErrors = 0
  corruptionsFixed = 0
  leaksFixed = 0
  /** Bytes. */
  imageEndOffset = 0
  allocatedClusters = 0
  fragmentedClusters = 0
  compressedClusters = 0

  constructor(repair: RepairMode) {
    this.fixLeaks = repair !== 'none'
    this.fixErrors = repair === 'all'
  }

  /** Whether nothing is wrong, or nothing any more. */
  get isClean(): boolean {
    return this.corruptions === 0 && this.leaks === 0 && this.checkErrors === 0
  }

  /** Corruptions that were counted have been mended. */
  corruptionMended(count = 1): void {
    this.corruptions -= count
    this.corruptionsFixed += count
  }

  /** Takes in what another part of the check has counted. */
  add(other: Findings): void {
    this.corruptions += other.corruptions
    this.leaks += other.leaks
    this.checkErrors += other.checkErrors
    this.corruptionsFixed += other.corruptionsFixed
    this.leaksFixed += other.leaksFixed
  }

  /** Forgets what the walk over the tables has counted, which is about to begin again. */
  clearStatistics(): void {
    this.allocatedClusters = 0
    this.fragmentedClusters = 0
    this.compressedClusters = 0
  }

  /** @param totalClusters - guest clusters of the disk */
  result(totalClusters: number): CheckResult {
    return {
      corruptions: this.corruptions,
      leaks: this.leaks,
      checkErrors: this.checkErrors,
      corruptionsFixed: this.corruptionsFixed,
      leaksFixed: this.leaksFixed,
      imageEndOffset: this.imageEndOffset,
      clusters: {
        total: totalClusters,
        allocated: this.allocatedClusters,
        fragmented: this.fragmentedClusters,
        compressed: this.compressedClusters,
      },
    }
  }
}
