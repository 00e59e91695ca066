/** Images that are damaged on purpose, and what a check says about them. */

import type { CheckResult, RepairMode } from '@blocklayer/block-core/driver'
import { checkImage } from '../../src/features/check/check.ts'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { viewOf } from '../../src/format/bytes.ts'
import { decodeHeader, headerGeometry } from '../../src/format/header.ts'
import type { Header } from '../../src/format/header.ts'
import type { Geometry } from '../../src/format/geometry.ts'
import { setRefcount } from '../../src/format/refcount-bits.ts'
import { newImage } from './disk.ts'
import { MemoryChild } from './memory-child.ts'
import { failureOf, openOn } from './open-on.ts'

/** Bytes of an image, with handles on its tables. */
export class Damaged {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = viewOf(bytes)
  }

  get header(): Header {
    return decodeHeader(this.bytes)
  }

  get geometry(): Geometry {
    return headerGeometry(this.header)
  }

  /** Byte offset of L1 entry `index`. */
  l1(index = 0): number {
    return this.header.l1TableOffset + 8 * index
  }

  /** Byte offset of the entry for guest cluster `index` in the first L2 table. */
  l2(index = 0): number {
    return Number(this.get(this.l1()) & 0x00fffffffffffe00n) + 8 * index
  }

  /** Byte offset of refcount table entry `index`. */
  table(index = 0): number {
    return this.header.refcountTableOffset + 8 * index
  }

  get(offset: number): bigint {
    return this.view.getBigUint64(offset)
  }

  /** Changes an entry. */
  set(offset: number, value: bigint | ((old: bigint) => bigint)): this {
    this.view.setBigUint64(offset, typeof value === 'bigint' ? value : value(this.get(offset)))
    return this
  }

  /** Sets the count of a cluster that the first refcount block counts. */
  count(cluster: number, value: number): this {
    const block = Number(this.get(this.table()))
    setRefcount(
      this.bytes.subarray(block, block + this.geometry.clusterSize),
      this.header.refcountOrder,
      cluster,
      value,
    )
    return this
  }
}

/**
 * An image of 64 KiB in clusters of 1 KiB, all of them allocated: header, refcount table, refcount block, L1 table and L2
 * table in clusters 0 to 4, data from cluster 5 on.
 */
export async function filledImage(options: Qcow2CreateOptions = {}): Promise<Damaged> {
  return new Damaged(await newImage(64 * 1024, { clusterSize: 1024, preallocation: 'metadata', ...options }))
}

/** What a check did. */
export interface Checked {
  readonly lines: readonly string[]
  /** `undefined` where the check could not be completed. */
  readonly result: CheckResult | undefined
  /** `<code> <message>` where the check could not be completed. */
  readonly failure: string | undefined
  /** The file afterwards, closed. */
  readonly after: Damaged
}

/** Checks an image in memory, and repairs it as `repair` says. */
export async function checked(
  image: Damaged | MemoryChild,
  repair: RepairMode = 'none',
  prepare: (file: MemoryChild) => void = () => undefined,
): Promise<Checked> {
  const file = image instanceof MemoryChild ? image : new MemoryChild(image.bytes)
  const { image: open, lines, ejected } = await openOn(file, { check: true, readOnly: repair === 'none' })
  prepare(file)
  let result: CheckResult | undefined
  let failure: string | undefined
  const work = open.lock.run(() => checkImage(open, { repair }))
  try {
    result = await work
  } catch {
    failure = await failureOf(() => work)
  }
  if (repair !== 'none' && !ejected() && failure === undefined) await open.caches.flush()
  return { lines, result, failure, after: new Damaged(file.content) }
}

/** Counts of a result that are not zero. */
export function problems(result: CheckResult | undefined): Partial<CheckResult> {
  const { clusters: _clusters, imageEndOffset: _end, ...counts } = result ?? ({} as CheckResult)
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
