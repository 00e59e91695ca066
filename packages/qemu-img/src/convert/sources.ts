/** The sources of a conversion as one long disk. */

import { type BlockBackend, chainAllocation } from '@blocklayer/block-core'

/** One source and where its bytes lie in the target. */
interface SourceRange {
  readonly disk: BlockBackend
  /** First byte in the target. */
  readonly start: number
}

/** What to do with a run of the target. */
export type RunKind =
  /** Read and write it. */
  | 'data'
  /** It reads as zeroes. */
  | 'zero'
  /** The target's backing file has it already. */
  | 'backing'

/** A run of the target. */
export interface Run {
  readonly start: number
  readonly bytes: number
  readonly kind: RunKind
}

/** How runs are told apart. */
export interface RunRules {
  /** The target has a backing file: what comes from the source's own is left to it. */
  readonly targetHasBacking: boolean
  /** Bytes of the target's backing file; beyond them unallocated means zero. */
  readonly targetBackingBytes: number
}

/** Several disks, one behind the other. */
export class Sources {
  readonly #ranges: readonly SourceRange[]
  /** Bytes of all sources together. */
  readonly length: number

  constructor(disks: readonly BlockBackend[]) {
    let start = 0
    this.#ranges = disks.map((disk) => {
      const range = { disk, start }
      start += disk.length
      return range
    })
    this.length = start
  }

  /** The run at `offset`, at most to the end of one source. */
  async runAt(offset: number, rules: RunRules): Promise<Run> {
    const { disk, start } = this.#rangeAt(offset)
    const within = offset - start
    const rest = disk.length - within
    // With a backing file under the target only the top layer counts: the rest is below it already.
    const base = rules.targetHasBacking ? (disk.root.backing ?? undefined) : undefined
    const status = await chainAllocation(disk.root, base, within, rest)
    if (!status.zero) {
      const kind = status.data ? 'data' : rules.targetHasBacking ? 'backing' : 'data'
      return { start: offset, bytes: status.bytes, kind }
    }
    return zeroRun(offset, status.bytes, rules)
  }

  /** Fills `into` from `offset`, from as many sources as it takes. */
  async read(offset: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length; ) {
      const { disk, start } = this.#rangeAt(offset + done)
      const within = offset + done - start
      const part = into.subarray(done, done + Math.min(into.length - done, disk.length - within))
      await disk.read(within, part)
      done += part.length
    }
  }

  #rangeAt(offset: number): SourceRange {
    const range = this.#ranges.findLast(({ start, disk }) => offset >= start && offset < start + disk.length)
    if (range === undefined) throw new RangeError(`offset ${offset} lies in no source`)
    return range
  }
}

/** Zeroes past the target's backing file need no writing: nothing shows through there. */
function zeroRun(start: number, bytes: number, rules: RunRules): Run {
  if (!rules.targetHasBacking || start + bytes <= rules.targetBackingBytes) return { start, bytes, kind: 'zero' }
  if (start >= rules.targetBackingBytes) return { start, bytes, kind: 'backing' }
  return { start, bytes: rules.targetBackingBytes - start, kind: 'zero' }
}
