/** Options of a quorum, and which of them go together. */

import { BlockError, type ChildSpec, type OptionSchema } from '@blocklayer/block-core/driver'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsQuorum */
export interface QuorumOptions {
  /** The copies of the disk, all of one length. */
  readonly children?: readonly (ChildSpec | undefined)[]
  /** How many of them must agree for a read, and must take a write; at least 1. */
  readonly voteThreshold?: number | bigint
  /** Two copies only: their difference is a bug that somebody is looking for, and fails the read. Default false. */
  readonly blkverify?: boolean
  /** A copy that was outvoted gets the content that won. Default false. */
  readonly rewriteCorrupted?: boolean
  /** `quorum` (default): all are read and vote. `fifo`: one after the other, until one can be read. */
  readonly readPattern?: string
}

/** The schema of `QuorumOptions`. */
export const quorumOptions: OptionSchema<QuorumOptions> = {
  children: { name: 'children', type: 'node-list', help: 'The copies of the disk' },
  voteThreshold: {
    name: 'vote-threshold',
    type: 'number',
    strong: true,
    help: 'The number of vote needed for reaching quorum',
  },
  blkverify: { name: 'blkverify', type: 'bool', strong: true, help: 'Trigger block verify mode if set' },
  rewriteCorrupted: {
    name: 'rewrite-corrupted',
    type: 'bool',
    strong: true,
    help: 'Rewrite corrupted block on read quorum',
  },
  readPattern: {
    name: 'read-pattern',
    type: 'string',
    strong: true,
    help: 'Allowed pattern: quorum, fifo. Quorum is default',
  },
}

/** Options that were checked. */
export interface QuorumSetting {
  readonly threshold: number
  readonly isFifo: boolean
  readonly verifies: boolean
  readonly rewrites: boolean
}

/**
 * Checks the options in the reference's order.
 *
 * @throws BlockError `EINVAL` with the reference's texts, `ERANGE` for a threshold
 */
export function checkQuorumOptions(options: QuorumOptions): QuorumSetting {
  const count = options.children?.length ?? 0
  if (count < 1) throw new BlockError('EINVAL', 'Number of provided children must be 1 or more')
  const threshold = checkThreshold(options.voteThreshold ?? 0, count)
  const pattern = options.readPattern ?? 'quorum'
  if (pattern !== 'quorum' && pattern !== 'fifo') {
    throw new BlockError('EINVAL', 'Please set read-pattern as fifo or quorum')
  }
  // Who reads one copy at a time has nothing to compare, and nothing to mend.
  if (pattern === 'fifo') return { threshold, isFifo: true, verifies: false, rewrites: false }
  const verifies = options.blkverify ?? false
  const rewrites = options.rewriteCorrupted ?? false
  if (verifies && (count !== 2 || threshold !== 2)) {
    const text = 'blkverify=on can only be set if there are exactly two files and vote-threshold is 2'
    throw new BlockError('EINVAL', text)
  }
  if (verifies && rewrites) {
    throw new BlockError('EINVAL', 'rewrite-corrupted=on cannot be used with blkverify=on')
  }
  return { threshold, isFifo: false, verifies, rewrites }
}

/** A negative number arrives as text counted down from 2^64. */
const int64Max = (1n << 63n) - 1n

function checkThreshold(value: number | bigint, count: number): number {
  const threshold = BigInt(value)
  if (threshold < 1n || threshold > int64Max) {
    throw new BlockError('ERANGE', "Parameter 'vote-threshold' expects a value >= 1")
  }
  if (threshold > count) throw new BlockError('ERANGE', 'threshold may not exceed children count')
  return Number(threshold)
}
