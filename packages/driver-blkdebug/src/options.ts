/** Options of a blkdebug node, and what can only be checked once its image is open. */

import {
  BlockError,
  type ChildSpec,
  type FlatOptions,
  type LayerLimits,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import { ruleKeys } from './rule-options.ts'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsBlkdebug */
export interface BlkdebugOptions {
  /** A rules file. */
  readonly config?: string
  readonly image?: ChildSpec
  /** The image by its file name, from `blkdebug:CONFIG:IMAGE`. */
  readonly xImage?: string
  /** Limits in bytes; 0 changes nothing. */
  readonly align?: number | bigint
  readonly maxTransfer?: number | bigint
  readonly optWriteZero?: number | bigint
  readonly maxWriteZero?: number | bigint
  readonly optDiscard?: number | bigint
  readonly maxDiscard?: number | bigint
  /** Rules in text form: `new Map([['event', 'write_aio'], ['errno', 28]])`. */
  readonly injectError?: readonly FlatOptions[]
  readonly setState?: readonly FlatOptions[]
  readonly takeChildPerms?: readonly string[]
  readonly unshareChildPerms?: readonly string[]
}

/** The schema of `BlkdebugOptions`. */
export const blkdebugOptions: OptionSchema<BlkdebugOptions> = {
  config: { name: 'config', type: 'string', strong: true, help: 'Path to the configuration file' },
  image: { name: 'image', type: 'node', help: 'The image whose requests are watched' },
  xImage: { name: 'x-image', type: 'string', help: '[internal use only, will be removed]' },
  align: { name: 'align', type: 'size', strong: true, help: 'Required alignment in bytes' },
  maxTransfer: { name: 'max-transfer', type: 'size', strong: true, help: 'Maximum transfer size in bytes' },
  optWriteZero: { name: 'opt-write-zero', type: 'size', strong: true, help: 'Optimum write zero alignment in bytes' },
  maxWriteZero: { name: 'max-write-zero', type: 'size', strong: true, help: 'Maximum write zero size in bytes' },
  optDiscard: { name: 'opt-discard', type: 'size', strong: true, help: 'Optimum discard alignment in bytes' },
  maxDiscard: { name: 'max-discard', type: 'size', strong: true, help: 'Maximum discard size in bytes' },
  injectError: {
    name: 'inject-error',
    type: 'dict-list',
    strong: true,
    keys: ruleKeys['inject-error'],
    help: 'Errors to inject',
  },
  setState: { name: 'set-state', type: 'dict-list', strong: true, keys: ruleKeys['set-state'], help: 'State changes' },
  takeChildPerms: { name: 'take-child-perms', type: 'string-list', help: 'Permissions to take on the image' },
  unshareChildPerms: {
    name: 'unshare-child-perms',
    type: 'string-list',
    help: 'Permissions not to share on the image',
  },
}

/** Whether any option beside `config` and the image changes what the node shows; such a node has no plain name. */
export function hasOnlyConfig(options: BlkdebugOptions): boolean {
  const { align, maxTransfer, optWriteZero, maxWriteZero, optDiscard, maxDiscard, injectError, setState } = options
  return [align, maxTransfer, optWriteZero, maxWriteZero, optDiscard, maxDiscard, injectError, setState].every(
    (value) => value === undefined,
  )
}

/**
 * The options of `blkdebug:CONFIG:IMAGE`; IMAGE is everything after the second colon. A name without the prefix comes
 * where `driver=blkdebug` is put under an image that is known by name: it then names what is watched.
 *
 * @throws BlockError `EINVAL` `blkdebug requires both config file and image path`
 */
export function parseBlkdebugName(filename: string): FlatOptions {
  if (!filename.startsWith('blkdebug:')) return new Map([['x-image', filename]])
  const [, config, image] = /^blkdebug:([^:]*):(.*)$/s.exec(filename) ?? []
  if (config === undefined || image === undefined) {
    throw new BlockError('EINVAL', 'blkdebug requires both config file and image path')
  }
  const options: FlatOptions = new Map([['x-image', image]])
  if (config !== '') options.set('config', config)
  return options
}

/** Above this a limit does not fit the reference's C integers. */
const limitMax = 2147483647n

/**
 * The limits that the options put on requests, checked in the reference's order.
 *
 * @param imageAlignment - bytes of which requests to the image are multiples
 * @throws BlockError `EINVAL` `Cannot meet constraints with align 3` and the like
 */
export function checkLimits(options: BlkdebugOptions, imageAlignment: number): LayerLimits {
  const requireMultiple = (name: string, value: bigint, unit: bigint): number => {
    if (value >= limitMax || value % unit !== 0n) {
      throw new BlockError('EINVAL', `Cannot meet constraints with ${name} ${value}`)
    }
    return Number(value)
  }
  const align = BigInt(options.align ?? 0)
  if ((align & (align - 1n)) !== 0n) throw new BlockError('EINVAL', `Cannot meet constraints with align ${align}`)
  const unit = max(align, BigInt(imageAlignment))
  const optWriteZero = BigInt(options.optWriteZero ?? 0)
  const optDiscard = BigInt(options.optDiscard ?? 0)
  return {
    requestAlignment: requireMultiple('align', align, 1n),
    maxTransfer: requireMultiple('max-transfer', BigInt(options.maxTransfer ?? 0), unit),
    zeroAlignment: requireMultiple('opt-write-zero', optWriteZero, unit),
    maxZeroes: requireMultiple('max-write-zero', BigInt(options.maxWriteZero ?? 0), max(optWriteZero, unit)),
    discardAlignment: requireMultiple('opt-discard', optDiscard, unit),
    maxDiscard: requireMultiple('max-discard', BigInt(options.maxDiscard ?? 0), max(optDiscard, unit)),
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

/** Permission bits by their option names. */
const permissionBits: ReadonlyMap<string, number> = new Map([
  ['consistent-read', 1],
  ['write', 2],
  ['write-unchanged', 4],
  ['resize', 8],
])

/**
 * The sum of the named permissions.
 *
 * @throws BlockError `EINVAL` `Parameter 'null' does not accept value '<name>'`; "null" is the reference's own slip
 */
export function permissionMask(names: readonly string[] | undefined): number {
  let mask = 0
  for (const name of names ?? []) {
    const bit = permissionBits.get(name)
    if (bit === undefined) throw new BlockError('EINVAL', `Parameter 'null' does not accept value '${name}'`)
    mask |= bit
  }
  return mask
}
