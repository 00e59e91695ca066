/** Options that an image can be amended with: the schema that the tools show, and what the values mean for one image. */

import { BlockError, type OptionSchema } from '@blocklayer/block-core/driver'
import { hexHalves } from '../../format/bytes.ts'
import {
  autoclear,
  compatible,
  type FeatureWord,
  hasFeature,
  incompatible,
  isEmptyWord,
  withoutFeature,
} from '../../format/features.ts'
import type { Header } from '../../format/header.ts'
import { type HeaderExtensions, nameText } from '../../format/header-extension.ts'
import type { SnapshotEntry } from '../../format/snapshot-entry.ts'
import { qcow2CreateSchema } from '../create/options.ts'

/** What is to change; whatever is absent stays. */
export interface Qcow2AmendOptions {
  readonly encryptState?: string
  readonly encryptNewSecret?: string
  readonly encryptOldSecret?: string
  readonly encryptKeyslot?: number | bigint
  readonly encryptIterTime?: number | bigint
  /** Bytes; the disk becomes shorter without further questions. 0: stays, as the reference has it. */
  readonly size?: number | bigint
  /** `0.10` or `v2`; `1.1` or `v3`. */
  readonly compat?: string
  /** Only as it is. */
  readonly backingFile?: string
  /** Only as it is. */
  readonly backingFormat?: string
  readonly dataFile?: string
  readonly dataFileRaw?: boolean
  readonly lazyRefcounts?: boolean
  /** A power of two from 1 to 64. */
  readonly refcountBits?: number | bigint
}

/**
 * The options in the reference's declaration order.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_amend_opts
 */
export const qcow2AmendSchema: OptionSchema<Qcow2AmendOptions> = {
  encryptState: {
    name: 'encrypt.state',
    type: 'string',
    help: 'Select new state of affected keyslots (active/inactive)',
  },
  encryptKeyslot: {
    name: 'encrypt.keyslot',
    type: 'number',
    help: 'Select a single keyslot to modify explicitly',
  },
  encryptOldSecret: {
    name: 'encrypt.old-secret',
    type: 'string',
    help: 'Select all keyslots that match this password',
  },
  encryptNewSecret: {
    name: 'encrypt.new-secret',
    type: 'string',
    help: 'New secret to set in the matching keyslots. Empty string to erase',
  },
  encryptIterTime: qcow2CreateSchema.encryptIterTime,
  size: qcow2CreateSchema.size,
  compat: qcow2CreateSchema.compat,
  backingFile: qcow2CreateSchema.backingFile,
  backingFormat: qcow2CreateSchema.backingFormat,
  dataFile: qcow2CreateSchema.dataFile,
  dataFileRaw: qcow2CreateSchema.dataFileRaw,
  // What is not given stays as it is: unlike for a new image there is no default.
  lazyRefcounts: withoutDefault(qcow2CreateSchema.lazyRefcounts),
  refcountBits: withoutDefault(qcow2CreateSchema.refcountBits),
}

function withoutDefault<Row extends { readonly default?: string }>({ default: _, ...row }: Row): Omit<Row, 'default'> {
  return row
}

/** What the options come to for one image: the steps, in their order. */
export interface AmendPlan {
  readonly upgrade: boolean
  /** Absent: the width stays. */
  readonly refcountOrder: number | undefined
  /** Absent: stays. */
  readonly lazyRefcounts: boolean | undefined
  readonly size: number | undefined
  /** Name of the data file to be recorded; empty: none. Absent: stays. */
  readonly dataFile: string | undefined
  /** The data file need not show what the guest sees any more. */
  readonly dropsRaw: boolean
  readonly downgrade: boolean
}

/** The image as it is. */
export interface AmendSubject {
  readonly header: Header
  readonly extensions: HeaderExtensions
  readonly snapshots: readonly SnapshotEntry[]
  /** Whether it keeps dirty bitmaps, or will when it is closed. */
  readonly hasBitmaps: boolean
}

const versions: Readonly<Record<string, 2 | 3>> = { '0.10': 2, v2: 2, '1.1': 3, v3: 3 }
const needsVersion3 = 'compatibility level 1.1 and above (use compat=1.1 or greater)'

/**
 * Judges the options in the reference's order. It judges everything before anything is changed; the reference has
 * changed, say, the refcount width already when it finds that another option is wrong.
 *
 * @throws BlockError with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_amend_options; spec/qcow2.md, section 3.16
 */
export function planAmend(options: Qcow2AmendOptions, subject: AmendSubject): AmendPlan {
  const { header, extensions } = subject
  const version = judgeValues(options, header)
  const isRaw = hasFeature(header.autoclearFeatures, autoclear.rawExternalData)
  const refcountOrder = judgeRefcountBits(options, header, version)
  judgeBacking(options, extensions)
  const { lazyRefcounts } = options
  // Where nothing changes nothing is judged: who downgrades a lazy image may say that it is lazy now.
  const becomesLazy = lazyRefcounts === true && !hasFeature(header.compatibleFeatures, compatible.lazyRefcounts)
  if (becomesLazy && version < 3) throw fail(`Lazy refcounts only supported with ${needsVersion3}`)
  // 0 is how the reference says that no size was given; taken at its word it would empty the disk.
  const size = Number(options.size ?? 0) || undefined
  if (size !== undefined && size % 512 !== 0) throw fail('The new size must be a multiple of 512')
  const downgrade = version < header.version
  if (downgrade) judgeDowngrade(subject, { refcountOrder, size })
  const data = { dataFile: options.dataFile, dropsRaw: isRaw && options.dataFileRaw === false }
  return { upgrade: version > header.version, refcountOrder, lazyRefcounts, size, ...data, downgrade }
}

/** Values that are wrong for every image, or for this one whatever else is asked for. @returns the version to be */
function judgeValues(options: Qcow2AmendOptions, header: Header): 2 | 3 {
  const { encryptState, encryptKeyslot, encryptOldSecret, encryptNewSecret, encryptIterTime } = options
  const encryption = [encryptState, encryptKeyslot, encryptOldSecret, encryptNewSecret, encryptIterTime]
  if (encryption.some((value) => value !== undefined)) {
    throw fail("Can't amend encryption options - encryption not present")
  }
  const { compat } = options
  const named = compat !== undefined && Object.hasOwn(versions, compat) ? versions[compat] : undefined
  if (compat !== undefined && named === undefined) throw fail(`Unknown compatibility level ${compat}`)
  const hasDataFile = hasFeature(header.incompatibleFeatures, incompatible.externalDataFile)
  if (options.dataFile !== undefined && !hasDataFile) {
    throw fail('data-file can only be set for images that use an external data file')
  }
  const isRaw = hasFeature(header.autoclearFeatures, autoclear.rawExternalData)
  if (options.dataFileRaw === true && !isRaw) throw fail('data-file-raw cannot be set on existing images')
  return named ?? header.version
}

function judgeRefcountBits({ refcountBits }: Qcow2AmendOptions, header: Header, version: 2 | 3): number | undefined {
  if (refcountBits === undefined) return undefined
  const order = typeof refcountBits === 'number' ? Math.log2(refcountBits) : Number.NaN
  if (!Number.isInteger(order) || order < 0 || order > 6) {
    throw fail('Refcount width must be a power of two and may not exceed 64 bits')
  }
  if (order === header.refcountOrder) return undefined
  if (version < 3 && order !== 4) {
    const need = 'require compatibility level 1.1 or above (use compat=1.1 or greater)'
    throw fail(`Refcount widths other than 16 bits ${need}`)
  }
  return order
}

/** Which backing file an image has is not amended: its content would have to be looked at. */
function judgeBacking({ backingFile, backingFormat }: Qcow2AmendOptions, extensions: HeaderExtensions): void {
  if (backingFile === undefined && backingFormat === undefined) return
  // As the reference: name and format are one thing, and who gives one of them alone means another thing.
  const isSame =
    backingFile === nameText(extensions.backingFile) && backingFormat === nameText(extensions.backingFormat)
  if (isSame) return
  throw new BlockError('EINVAL', 'Cannot amend the backing file', {
    hint: "You can use 'qemu-img rebase' instead.",
  })
}

/** What version 2 cannot say. */
function judgeDowngrade(
  { header, snapshots, hasBitmaps }: AmendSubject,
  plan: Pick<AmendPlan, 'refcountOrder' | 'size'>,
): void {
  if ((plan.refcountOrder ?? header.refcountOrder) !== 4) {
    throw new BlockError('ENOTSUP', 'compat=0.10 requires refcount_bits=16')
  }
  if (hasFeature(header.incompatibleFeatures, incompatible.externalDataFile)) {
    throw new BlockError('ENOTSUP', 'Cannot downgrade an image with a data file')
  }
  const diskSize = plan.size ?? header.size
  if (snapshots.some((entry) => entry.vmStateSize >= 2 ** 32 || (entry.diskSize ?? diskSize) !== diskSize)) {
    throw new BlockError('ENOTSUP', 'Internal snapshots prevent downgrade of image')
  }
  // The dirty mark goes before the downgrade; another compression can go where nothing is compressed.
  const rest = withoutFeature(header.incompatibleFeatures, incompatible.dirty | incompatible.compressionType)
  if (!isEmptyWord(rest)) {
    throw new BlockError('ENOTSUP', `Cannot downgrade an image with incompatible features ${hexWord(rest)} set`)
  }
  // The reference goes on, and leaves them behind as leaks that nobody trusts.
  if (hasBitmaps) throw new BlockError('ENOTSUP', 'Cannot downgrade an image with persistent bitmaps')
}

function hexWord({ high, low }: FeatureWord): string {
  return `0x${hexHalves(high, low)}`
}

function fail(message: string): BlockError {
  return new BlockError('EINVAL', message)
}
