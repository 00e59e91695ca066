/** Making raw images: a file of the right length. */

import type { CreateContext, Measurement, MeasureSource, OptionSchema } from '@blocklayer/block-core/driver'

/** Creation options. @see QEMU 7.2 qapi/block-core.json: BlockdevCreateOptionsFile */
export interface RawCreateOptions {
  /** Bytes. The graph passes the size on its own, rounded; this row is what users write. */
  readonly size?: number | bigint
  readonly preallocation?: 'off' | 'metadata' | 'falloc' | 'full'
}

/** The schema of `RawCreateOptions`; the file's own driver has more (`nocow`, `extent_size_hint`). */
export const rawCreateOptions: OptionSchema<RawCreateOptions> = {
  size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  preallocation: {
    name: 'preallocation',
    type: ['off', 'metadata', 'falloc', 'full'],
    help: 'Preallocation mode (allowed values: off, falloc, full)',
    enumError: 'value',
  },
}

/** The image is the file, and its driver knows best how to make one. @throws BlockError as that driver words it */
export function createRaw(context: CreateContext): Promise<void> {
  return context.makeFile()
}

/** A raw image is as large as its disk. */
export async function measureRaw(_options: RawCreateOptions, { size }: MeasureSource): Promise<Measurement> {
  const bytes = ((size + 511n) / 512n) * 512n
  return { required: bytes, fullyAllocated: bytes }
}
