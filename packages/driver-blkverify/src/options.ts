/** Options of a blkverify node, and the file name that stands for two of them. */

import { BlockError, type ChildSpec, type FlatOptions, type OptionSchema } from '@blocklayer/block-core/driver'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsBlkverify */
export interface BlkverifyOptions {
  /** The copy that is known to be right. */
  readonly raw?: ChildSpec
  /** The image that is tested against it. */
  readonly test?: ChildSpec
  /** Both by their file names, from `blkverify:RAW:TEST`. */
  readonly xRaw?: string
  readonly xImage?: string
}

/** The schema of `BlkverifyOptions`. */
export const blkverifyOptions: OptionSchema<BlkverifyOptions> = {
  raw: { name: 'raw', type: 'node', required: true, help: 'The raw copy, which is right' },
  test: { name: 'test', type: 'node', required: true, help: 'The image that is tested' },
  xRaw: { name: 'x-raw', type: 'string', help: '[internal use only, will be removed]' },
  xImage: { name: 'x-image', type: 'string', help: '[internal use only, will be removed]' },
}

/**
 * The options of `blkverify:RAW:TEST`; TEST is everything after the second colon. A name without the prefix comes where
 * `driver=blkverify` is put under an image that is known by name: it then names what is tested.
 *
 * @throws BlockError `EINVAL` `blkverify requires raw copy and original image path`
 */
export function parseBlkverifyName(filename: string): FlatOptions {
  if (!filename.startsWith('blkverify:')) return new Map([['x-image', filename]])
  const [, raw, image] = /^blkverify:([^:]*):(.*)$/s.exec(filename) ?? []
  if (raw === undefined || image === undefined) {
    throw new BlockError('EINVAL', 'blkverify requires raw copy and original image path')
  }
  return new Map([
    ['x-raw', raw],
    ['x-image', image],
  ])
}
