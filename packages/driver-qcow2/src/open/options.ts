/** The runtime options of a qcow2 node, as users write them. */

import type { ChildSpec, OptionSchema } from '@blocklayer/block-core/driver'

/** Options of an open image; all but the file have defaults. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsQcow2 */
export interface Qcow2Options {
  readonly file?: ChildSpec
  readonly dataFile?: ChildSpec
  /** Postpone refcount updates until the image is closed. Default: what the image's header says. */
  readonly lazyRefcounts?: boolean
  /** Pass the guest's discards on to the file. Default: with `discard=unmap`. */
  readonly passDiscardRequest?: boolean
  readonly passDiscardSnapshot?: boolean
  readonly passDiscardOther?: boolean
  /**
   * Clusters that the guest discards, or zeroes with leave to unmap, stay where they are and say zero: the file does not
   * become fragmented, and its space is given up by holes alone. Default: off. Not in QEMU 7.2, but in later versions.
   */
  readonly discardNoUnref?: boolean
  /** `none`, `constant`, `cached` (default) or `all`. */
  readonly overlapCheck?: string
  readonly overlapCheckTemplate?: string
  readonly overlapMainHeader?: boolean
  readonly overlapActiveL1?: boolean
  readonly overlapActiveL2?: boolean
  readonly overlapRefcountTable?: boolean
  readonly overlapRefcountBlock?: boolean
  readonly overlapSnapshotTable?: boolean
  readonly overlapInactiveL1?: boolean
  readonly overlapInactiveL2?: boolean
  readonly overlapBitmapDirectory?: boolean
  /** Bytes of both metadata caches together. */
  readonly cacheSize?: number | bigint
  /** Bytes of the L2 cache. Default: enough for the whole image, at most 32 MiB. */
  readonly l2CacheSize?: number | bigint
  /** Bytes of one entry of the L2 cache: a power of two from 512 to the cluster size. */
  readonly l2CacheEntrySize?: number | bigint
  /** Bytes of the refcount block cache. Default: four clusters. */
  readonly refcountCacheSize?: number | bigint
  /** Seconds after which entries of the caches that nobody has used are let go of; 0: never. Default: 600. */
  readonly cacheCleanInterval?: number | bigint
  readonly encryptFormat?: string
  readonly encryptKeySecret?: string
}

const overlapNames = [
  'main-header',
  'active-l1',
  'active-l2',
  'refcount-table',
  'refcount-block',
  'snapshot-table',
  'inactive-l1',
  'inactive-l2',
  'bitmap-directory',
].map((name) => `overlap-check.${name}`)

/** The schema of `Qcow2Options`. */
export const qcow2OptionSchema: OptionSchema<Qcow2Options> = {
  file: { name: 'file', type: 'node', required: true, help: 'The image file' },
  dataFile: { name: 'data-file', type: 'node', help: 'The file with the guest data' },
  lazyRefcounts: { name: 'lazy-refcounts', type: 'bool', mutable: true, help: 'Postpone refcount updates' },
  passDiscardRequest: {
    name: 'pass-discard-request',
    type: 'bool',
    mutable: true,
    help: 'Pass guest discard requests to the layer below',
  },
  passDiscardSnapshot: {
    name: 'pass-discard-snapshot',
    type: 'bool',
    mutable: true,
    help: 'Generate discard requests when snapshot related space is freed',
  },
  passDiscardOther: {
    name: 'pass-discard-other',
    type: 'bool',
    mutable: true,
    help: 'Generate discard requests when other clusters are freed',
  },
  discardNoUnref: {
    name: 'discard-no-unref',
    type: 'bool',
    mutable: true,
    help: 'Do not unreference discarded clusters',
  },
  overlapCheck: {
    name: 'overlap-check',
    type: 'string',
    mutable: true,
    replaces: ['overlap-check.template', ...overlapNames],
    help: 'Selects which overlap checks to perform from a range of templates (none, constant, cached, all)',
  },
  overlapCheckTemplate: {
    name: 'overlap-check.template',
    type: 'string',
    mutable: true,
    replaces: ['overlap-check', ...overlapNames],
    help: 'Selects which overlap checks to perform from a range of templates (none, constant, cached, all)',
  },
  overlapMainHeader: overlapOption('main-header', 'main qcow2 header'),
  overlapActiveL1: overlapOption('active-l1', 'active L1 table'),
  overlapActiveL2: overlapOption('active-l2', 'active L2 tables'),
  overlapRefcountTable: overlapOption('refcount-table', 'refcount table'),
  overlapRefcountBlock: overlapOption('refcount-block', 'refcount blocks'),
  overlapSnapshotTable: overlapOption('snapshot-table', 'snapshot table'),
  overlapInactiveL1: overlapOption('inactive-l1', 'inactive L1 tables'),
  overlapInactiveL2: overlapOption('inactive-l2', 'inactive L2 tables'),
  overlapBitmapDirectory: overlapOption('bitmap-directory', 'bitmap directory'),
  cacheSize: {
    name: 'cache-size',
    type: 'size',
    mutable: true,
    replaces: ['l2-cache-size', 'refcount-cache-size'],
    help: 'Maximum combined metadata (L2 tables and refcount blocks) cache size',
  },
  l2CacheSize: {
    name: 'l2-cache-size',
    type: 'size',
    mutable: true,
    replaces: ['cache-size'],
    help: 'Maximum L2 table cache size',
  },
  l2CacheEntrySize: {
    name: 'l2-cache-entry-size',
    type: 'size',
    mutable: true,
    help: 'Size of each entry in the L2 cache',
  },
  refcountCacheSize: {
    name: 'refcount-cache-size',
    type: 'size',
    mutable: true,
    replaces: ['cache-size'],
    help: 'Maximum refcount block cache size',
  },
  cacheCleanInterval: {
    name: 'cache-clean-interval',
    type: 'number',
    mutable: true,
    help: 'Clean unused cache entries after this time (in seconds)',
  },
  encryptFormat: {
    name: 'encrypt.format',
    type: 'string',
    mutable: true,
    strong: true,
    help: "Encrypt the image, format choices: 'aes', 'luks'",
  },
  encryptKeySecret: {
    name: 'encrypt.key-secret',
    type: 'string',
    mutable: true,
    strong: true,
    help: 'ID of secret providing qcow2 AES key or LUKS passphrase',
  },
}

function overlapOption(name: string, title: string): { name: string; type: 'bool'; mutable: boolean; help: string } {
  return {
    name: `overlap-check.${name}`,
    type: 'bool',
    mutable: true,
    help: `Check for unintended writes into the ${title}`,
  }
}
