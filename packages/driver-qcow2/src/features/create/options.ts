/** Options of a new image: the schema that the tools show, and what the values mean together. */

import { BlockError, type CreateContext, type OptionSchema, type Preallocation } from '@blocklayer/block-core/driver'
import { clusterBitsMax, clusterBitsMin } from '../../format/constants.ts'

/** Creation options as users give them; whatever is absent has its default. */
export interface Qcow2CreateOptions {
  readonly encryption?: boolean
  readonly encryptFormat?: string
  readonly encryptKeySecret?: string
  readonly encryptCipherAlg?: string
  readonly encryptCipherMode?: string
  readonly encryptIvgenAlg?: string
  readonly encryptIvgenHashAlg?: string
  readonly encryptHashAlg?: string
  readonly encryptIterTime?: number | bigint
  /** Bytes, a power of two from 512 to 2 MiB. Default 65536. */
  readonly clusterSize?: number | bigint
  readonly extendedL2?: boolean
  /** `off` (default), `metadata`, `falloc` or `full`. */
  readonly preallocation?: string
  /** `zlib` (default) or `zstd`. */
  readonly compressionType?: string
  readonly size?: number | bigint
  /** `0.10` or `v2`; `1.1` or `v3` (default). */
  readonly compat?: string
  readonly backingFile?: string
  readonly backingFormat?: string
  readonly dataFile?: string
  readonly dataFileRaw?: boolean
  readonly lazyRefcounts?: boolean
  /** A power of two from 1 to 64. Default 16. */
  readonly refcountBits?: number | bigint
}

/**
 * The options in the reference's declaration order, which is the order of the `Formatting` line.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_create_opts
 */
export const qcow2CreateSchema: OptionSchema<Qcow2CreateOptions> = {
  encryption: {
    name: 'encryption',
    type: 'bool',
    help: "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)",
  },
  encryptFormat: {
    name: 'encrypt.format',
    type: 'string',
    help: "Encrypt the image, format choices: 'aes', 'luks'",
  },
  encryptKeySecret: {
    name: 'encrypt.key-secret',
    type: 'string',
    help: 'ID of secret providing qcow AES key or LUKS passphrase',
  },
  encryptCipherAlg: { name: 'encrypt.cipher-alg', type: 'string', help: 'Name of encryption cipher algorithm' },
  encryptCipherMode: { name: 'encrypt.cipher-mode', type: 'string', help: 'Name of encryption cipher mode' },
  encryptIvgenAlg: { name: 'encrypt.ivgen-alg', type: 'string', help: 'Name of IV generator algorithm' },
  encryptIvgenHashAlg: {
    name: 'encrypt.ivgen-hash-alg',
    type: 'string',
    help: 'Name of IV generator hash algorithm',
  },
  encryptHashAlg: { name: 'encrypt.hash-alg', type: 'string', help: 'Name of encryption hash algorithm' },
  encryptIterTime: { name: 'encrypt.iter-time', type: 'number', help: 'Time to spend in PBKDF in milliseconds' },
  clusterSize: { name: 'cluster_size', type: 'size', help: 'qcow2 cluster size', default: '65536' },
  extendedL2: { name: 'extended_l2', type: 'bool', help: 'Extended L2 tables', default: 'off' },
  preallocation: {
    name: 'preallocation',
    type: 'string',
    help: 'Preallocation mode (allowed values: off, metadata, falloc, full)',
  },
  compressionType: {
    name: 'compression_type',
    type: 'string',
    help: 'Compression method used for image cluster compression',
    default: 'zlib',
  },
  size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  compat: { name: 'compat', type: 'string', help: 'Compatibility level (v2 [0.10] or v3 [1.1])' },
  backingFile: { name: 'backing_file', type: 'string', help: 'File name of a base image' },
  backingFormat: { name: 'backing_fmt', type: 'string', help: 'Image format of the base image' },
  dataFile: { name: 'data_file', type: 'string', help: 'File name of an external data file' },
  dataFileRaw: {
    name: 'data_file_raw',
    type: 'bool',
    help: 'The external data file must stay valid as a raw image',
  },
  lazyRefcounts: { name: 'lazy_refcounts', type: 'bool', help: 'Postpone refcount updates', default: 'off' },
  refcountBits: {
    name: 'refcount_bits',
    type: 'number',
    help: 'Width of a reference count entry in bits',
    default: '16',
  },
}

/** What an image is created from once its options have been judged. */
export interface CreateSettings {
  readonly version: 2 | 3
  readonly clusterBits: number
  readonly refcountOrder: number
  readonly extendedL2: boolean
  readonly lazyRefcounts: boolean
  readonly preallocation: Preallocation
  /** Guest data goes to a file of its own. */
  readonly externalData: boolean
  /** That file is to show by itself what the guest sees. */
  readonly dataFileRaw: boolean
  /** 0 deflate, 1 zstd. */
  readonly compressionType: number
}

const versions: Readonly<Record<string, 2 | 3>> = { '0.10': 2, v2: 2, '1.1': 3, v3: 3 }
const preallocations: readonly string[] = ['off', 'metadata', 'falloc', 'full']
const needsVersion3 = 'supported with compatibility level 1.1 and above (use version=v3 or greater)'

/**
 * Judges the options: names of choices first, then combinations, then what this version of the library does not do,
 * each in the reference's order.
 *
 * @throws BlockError with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_create
 */
export function judgeCreateOptions(
  options: Qcow2CreateOptions,
  context: Pick<CreateContext, 'backing' | 'isFormatName'>,
): CreateSettings {
  const version = judgeChoices(options, context)
  const needs3 = (wanted: boolean | undefined, what: string): void => {
    if (wanted === true && version < 3) refuse(`${what} only ${needsVersion3}`)
  }
  const hasBacking = context.backing !== undefined || options.backingFile !== undefined
  const preallocation = (options.preallocation ?? 'off') as Preallocation
  needs3(options.extendedL2, 'Extended L2 entries are')
  const clusterBits = judgeClusterSize(options)
  if (preallocation !== 'off' && hasBacking && options.extendedL2 !== true) {
    refuse('Backing file and preallocation can only be used at the same time if extended_l2 is on')
  }
  if (options.backingFormat !== undefined && !hasBacking) {
    refuse('Backing format cannot be used without backing file')
  }
  needs3(options.lazyRefcounts, 'Lazy refcounts')
  const refcountOrder = judgeRefcountBits(options, version)
  if (options.dataFileRaw === true && options.dataFile === undefined) refuse('data-file-raw requires data-file')
  if (options.dataFileRaw === true && hasBacking)
    refuse('Backing file and data-file-raw cannot be used at the same time')
  needs3(options.dataFile !== undefined, 'External data files are')
  needs3(options.compressionType === 'zstd', 'Non-zlib compression type is')
  judgeEncryption(options)
  refuseForNow(options)
  const compressionType = options.compressionType === 'zstd' ? 1 : 0
  const { lazyRefcounts = false, extendedL2 = false } = options
  const data = { externalData: options.dataFile !== undefined, dataFileRaw: options.dataFileRaw ?? false }
  return { version, clusterBits, refcountOrder, extendedL2, lazyRefcounts, preallocation, ...data, compressionType }
}

/** Options whose value is one of a few words, in the order in which the reference reads them. */
function judgeChoices(options: Qcow2CreateOptions, { isFormatName }: Pick<CreateContext, 'isFormatName'>): 2 | 3 {
  if (options.encryption !== undefined && options.encryptFormat !== undefined) {
    refuse("'encrypt.format' and its alias 'encryption' can't be used at the same time")
  }
  const compat = options.compat ?? 'v3'
  const version = Object.hasOwn(versions, compat) ? versions[compat] : undefined
  if (version === undefined) return refuse(`Parameter 'version' does not accept value '${compat}'`)
  // An image whose backing format nobody knows could not be opened any more.
  const { backingFormat } = options
  if (backingFormat !== undefined && isFormatName?.(backingFormat) === false) accept('backing-fmt', backingFormat, [])
  judgeEncryptionChoices(options)
  accept('preallocation', options.preallocation, preallocations)
  accept('compression-type', options.compressionType, ['zlib', 'zstd'])
  return version
}

function accept(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value)) refuse(`Parameter '${name}' does not accept value '${value}'`)
}

/** Whoever gives a key and no format means encryption all the same: an image with plain data is not what they want. */
function judgeEncryptionChoices(options: Qcow2CreateOptions): void {
  const format = options.encryption === true ? 'aes' : options.encryptFormat
  accept('format', format, ['aes', 'luks'])
  const ofLuks = [
    ['cipher-alg', options.encryptCipherAlg],
    ['cipher-mode', options.encryptCipherMode],
    ['ivgen-alg', options.encryptIvgenAlg],
    ['ivgen-hash-alg', options.encryptIvgenHashAlg],
    ['hash-alg', options.encryptHashAlg],
    ['iter-time', options.encryptIterTime],
  ] as const
  const given = ofLuks.find(([, value]) => value !== undefined)
  if (format === undefined && (given !== undefined || options.encryptKeySecret !== undefined)) {
    refuse("Parameter 'encrypt.format' is missing")
  }
  if (format === 'aes' && given !== undefined) refuse(`Parameter 'encrypt.${given[0]}' is unexpected`)
}

function judgeClusterSize(options: Qcow2CreateOptions): number {
  const size = options.clusterSize ?? 65536
  const bits = powerOfTwo(size)
  if (bits === undefined || bits < clusterBitsMin || bits > clusterBitsMax) {
    return refuse('Cluster size must be a power of two between 512 and 2048k')
  }
  if (options.extendedL2 === true && bits < 14) {
    return refuse('Extended L2 entries are only supported with cluster sizes of at least 16384 bytes')
  }
  return bits
}

function judgeRefcountBits(options: Qcow2CreateOptions, version: 2 | 3): number {
  const order = powerOfTwo(options.refcountBits ?? 16)
  if (order === undefined || order > 6) {
    return refuse('Refcount width must be a power of two and may not exceed 64 bits')
  }
  if (version < 3 && order !== 4) {
    const need = 'require compatibility level 1.1 or above (use version=v3 or greater)'
    return refuse(`Different refcount widths than 16 bits ${need}`)
  }
  return order
}

/** Exponent of a power of two below 2^53; `undefined` for every other number. */
function powerOfTwo(value: number | bigint): number | undefined {
  const bits = typeof value === 'number' && value > 0 ? Math.log2(value) : Number.NaN
  return Number.isInteger(bits) ? bits : undefined
}

function judgeEncryption(options: Qcow2CreateOptions): void {
  const encrypted = options.encryption === true || options.encryptFormat !== undefined
  if (encrypted && options.encryptKeySecret === undefined) {
    refuse("Parameter 'encrypt.key-secret' is required for cipher")
  }
}

/** What the format has and this version of the library does not create. */
function refuseForNow(options: Qcow2CreateOptions): void {
  const wanted = [[options.encryption === true || options.encryptFormat !== undefined, 'encryption']] as const
  for (const [isWanted, name] of wanted) {
    if (isWanted !== true) continue
    throw new BlockError('ENOTSUP', `Creating qcow2 images with ${name} is not supported by this version of Blocklayer`)
  }
}

function refuse(message: string): never {
  throw new BlockError('EINVAL', message)
}
