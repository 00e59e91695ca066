/** The last look before a write: bytes that belong to a metadata structure must not be overwritten by anything else. */

import type { Geometry } from '../format/geometry.ts'
import type { Corruption } from './corruption.ts'
import { type RegionMap, type RegionName, regionNames, regionTitles } from './region-map.ts'

/** Name of a template: how much `overlap-check` looks at. */
export type OverlapTemplate = 'none' | 'constant' | 'cached' | 'all'

/** Structures of each `overlap-check` template. */
export const overlapTemplates: Readonly<Record<OverlapTemplate, readonly RegionName[]>> = {
  none: [],
  constant: ['main-header', 'active-l1', 'refcount-table', 'snapshot-table', 'bitmap-directory'],
  cached: [
    'main-header',
    'active-l1',
    'refcount-table',
    'snapshot-table',
    'bitmap-directory',
    'active-l2',
    'refcount-block',
    'inactive-l1',
  ],
  all: regionNames,
}

/** What the check is made of. */
export interface OverlapCheckOptions {
  readonly geometry: Geometry
  readonly regions: RegionMap
  readonly corruption: Corruption
  readonly enabled: readonly RegionName[]
}

/**
 * Checks ranges against the region map.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_pre_write_overlap_check
 */
export class OverlapCheck {
  readonly #options: OverlapCheckOptions
  #enabled: readonly RegionName[]

  constructor(options: OverlapCheckOptions) {
    this.#options = options
    this.#enabled = inCheckingOrder(options.enabled)
  }

  /** Changes what is checked from now on (reopen). */
  configure(enabled: readonly RegionName[]): void {
    this.#enabled = inCheckingOrder(enabled)
  }

  /**
   * Throws where a write to this range would hit metadata of another kind.
   *
   * @param offset - host offset of the write
   * @param own - the structure that is being written, which may of course be
   * @returns `undefined` where all is well and no disk access was needed
   * @throws BlockError `EIO` after the image has been marked corrupt
   */
  check(offset: number, bytes: number, own?: RegionName): Promise<void> | undefined {
    if (bytes === 0) return undefined
    const { clusterSize } = this.#options.geometry
    // Structures own whole clusters, whatever they use of them.
    const start = offset - (offset % clusterSize)
    const end = Math.ceil((offset + bytes) / clusterSize) * clusterSize
    for (let i = 0; i < this.#enabled.length; i++) {
      const name = this.#enabled[i]!
      if (name === own) continue
      const overlaps = this.#options.regions.test(name)?.(start, end)
      if (overlaps === undefined || overlaps === false) continue
      return overlaps === true ? this.#refuse(name) : this.#finish(overlaps, { name, next: i + 1, start, end, own })
    }
    return undefined
  }

  /** Goes on behind a test that has to read from the disk. */
  async #finish(
    pending: Promise<boolean>,
    at: { name: RegionName; next: number; start: number; end: number; own: RegionName | undefined },
  ): Promise<void> {
    if (await pending) await this.#refuse(at.name)
    for (const name of this.#enabled.slice(at.next)) {
      if (name === at.own) continue
      if ((await this.#options.regions.test(name)?.(at.start, at.end)) === true) await this.#refuse(name)
    }
  }

  async #refuse(name: RegionName): Promise<never> {
    throw await this.#options.corruption.signal(
      'fatal',
      `Preventing invalid write on metadata (overlaps with ${regionTitles[name]})`,
    )
  }
}

function inCheckingOrder(enabled: readonly RegionName[]): readonly RegionName[] {
  return regionNames.filter((name) => enabled.includes(name))
}
