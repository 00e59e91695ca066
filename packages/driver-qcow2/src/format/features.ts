/** Feature bits: their words, their names, and the refusal of what is not understood. */

import { BlockError } from '@blocklayer/block-core/driver'
import { decodeText, hexHalves, viewOf } from './bytes.ts'
import { cryptMethod } from './constants.ts'

/** A 64-bit set of feature bits as two unsigned halves. */
export interface FeatureWord {
  readonly high: number
  readonly low: number
}

/** No feature at all. */
export const noFeatures: FeatureWord = { high: 0, low: 0 }

/** Incompatible features: who does not know one of them may not open the image. */
export const incompatible = {
  /** Refcounts on disk may be too low: repair before writing. */
  dirty: 0b1,
  /** Metadata is known to be wrong: never open read-write. */
  corrupt: 0b10,
  externalDataFile: 0b100,
  /** The compression type is not deflate. */
  compressionType: 0b1000,
  extendedL2: 0b10000,
} as const

/** Every incompatible bit that has a meaning. */
export const incompatibleKnown = 0b11111

/** Compatible features: may be ignored by who does not know them. */
export const compatible = { lazyRefcounts: 0b1 } as const

/** Autoclear features: cleared by who writes without knowing them. */
export const autoclear = {
  /** The bitmaps extension is consistent. */
  bitmaps: 0b1,
  /** The data file alone is a valid raw image. */
  rawExternalData: 0b10,
} as const

/** Every autoclear bit that has a meaning. */
export const autoclearKnown = 0b11

/** Which of the three words a name in the feature name table belongs to; the numbers are those of the format. */
export const featureSet = { incompatible: 0, compatible: 1, autoclear: 2 } as const

/** One row of the feature name table. */
export interface FeatureName {
  readonly set: number
  /** Bit number, 0 to 63. */
  readonly bit: number
  readonly name: string
}

/** Bytes of one row on disk: set, bit, and a zero-padded name. */
export const featureNameBytes = 48

/** The table that is written into every image, in the reference's order. */
export const knownFeatureNames: readonly FeatureName[] = [
  { set: featureSet.incompatible, bit: 0, name: 'dirty bit' },
  { set: featureSet.incompatible, bit: 1, name: 'corrupt bit' },
  { set: featureSet.incompatible, bit: 2, name: 'external data file' },
  { set: featureSet.incompatible, bit: 3, name: 'compression type' },
  { set: featureSet.incompatible, bit: 4, name: 'extended L2 entries' },
  { set: featureSet.compatible, bit: 0, name: 'lazy refcounts' },
  { set: featureSet.autoclear, bit: 0, name: 'bitmaps' },
  { set: featureSet.autoclear, bit: 1, name: 'raw external data' },
]

/** Whether all bits of `mask`, which are bits of the low half, are set. */
export function hasFeature(word: FeatureWord, mask: number): boolean {
  return (word.low & mask) === mask
}

/** `word` with the low-half bits of `mask` set. */
export function withFeature(word: FeatureWord, mask: number): FeatureWord {
  return { high: word.high, low: (word.low | mask) >>> 0 }
}

/** `word` with the low-half bits of `mask` cleared. */
export function withoutFeature(word: FeatureWord, mask: number): FeatureWord {
  return { high: word.high, low: (word.low & ~mask) >>> 0 }
}

/** The bits of `word` that are outside `known`, a mask of the low half. */
export function unknownFeatures(word: FeatureWord, known: number): FeatureWord {
  return { high: word.high, low: (word.low & ~known) >>> 0 }
}

/** Whether no bit is set. */
export function isEmptyWord(word: FeatureWord): boolean {
  return word.high === 0 && word.low === 0
}

/** Rows of a feature name table; the scan ends at the first row without a name. */
export function decodeFeatureNames(table: Uint8Array): FeatureName[] {
  const names: FeatureName[] = []
  for (let at = 0; at + featureNameBytes <= table.length; at += featureNameBytes) {
    const field = table.subarray(at + 2, at + featureNameBytes)
    const end = field.indexOf(0)
    const name = end === -1 ? field : field.subarray(0, end)
    if (name.length === 0) break
    names.push({ set: table[at]!, bit: table[at + 1]!, name: decodeText(name) })
  }
  return names
}

/** `knownFeatureNames` as the bytes of the extension. */
export function encodeFeatureNames(): Uint8Array {
  const table = new Uint8Array(knownFeatureNames.length * featureNameBytes)
  knownFeatureNames.forEach(({ set, bit, name }, row) => {
    table[row * featureNameBytes] = set
    table[row * featureNameBytes + 1] = bit
    table.set(new TextEncoder().encode(name), row * featureNameBytes + 2)
  })
  return table
}

/**
 * The incompatible bits that have no meaning to this library, by name where the image names them.
 *
 * @param names - the image's own feature name table
 * @see QEMU 7.2 block/qcow2.c: report_unsupported_feature
 */
export function describeUnknownFeatures(word: FeatureWord, names: readonly FeatureName[]): string[] {
  let { high, low } = unknownFeatures(word, incompatibleKnown)
  const found: string[] = []
  for (const { set, bit, name } of names) {
    if (set !== featureSet.incompatible || bit > 63) continue
    const highBit = bit >= 32 ? (1 << (bit - 32)) >>> 0 : 0
    const lowBit = bit < 32 ? (1 << bit) >>> 0 : 0
    if ((high & highBit) === 0 && (low & lowBit) === 0) continue
    found.push(name)
    high = (high & ~highBit) >>> 0
    low = (low & ~lowBit) >>> 0
  }
  if (high !== 0 || low !== 0) found.push(`Unknown incompatible feature: ${hexHalves(high, low)}`)
  return found
}

/**
 * Refuses incompatible bits that have no meaning to this library.
 *
 * @param names - the image's own feature name table
 * @throws BlockError `ENOTSUP` `Unsupported qcow2 feature(s): …`
 */
export function refuseUnknownFeatures(word: FeatureWord, names: readonly FeatureName[]): void {
  const found = describeUnknownFeatures(word, names)
  if (found.length > 0) throw new BlockError('ENOTSUP', `Unsupported qcow2 feature(s): ${found.join(', ')}`)
}

/**
 * Refuses, by name, what the format defines and this version of the library does not do.
 *
 * @throws BlockError `ENOTSUP`, or `EINVAL` for an encryption method that the format does not define
 */
export function unsupportedForNow(header: { readonly cryptMethod: number }): void {
  const refuse = (feature: string): never => {
    throw new BlockError('ENOTSUP', `qcow2 images with ${feature} are not supported by this version of Blocklayer`)
  }
  if (header.cryptMethod === cryptMethod.aes) refuse('AES encryption')
  if (header.cryptMethod === cryptMethod.luks) refuse('LUKS encryption')
  if (header.cryptMethod !== cryptMethod.none) {
    throw new BlockError('EINVAL', `Unsupported encryption method ${header.cryptMethod}`)
  }
}

/** A feature word from the header's bytes. */
export function decodeFeatureWord(view: DataView, offset: number): FeatureWord {
  return { high: view.getUint32(offset), low: view.getUint32(offset + 4) }
}

/** Writes a feature word into the header's bytes. */
export function encodeFeatureWord(view: DataView, offset: number, word: FeatureWord): void {
  view.setUint32(offset, word.high)
  view.setUint32(offset + 4, word.low)
}

/** The eight bytes of a feature word, for the partial header writes that mark an image dirty. */
export function featureWordBytes(word: FeatureWord): Uint8Array {
  const bytes = new Uint8Array(8)
  encodeFeatureWord(viewOf(bytes), 0, word)
  return bytes
}
