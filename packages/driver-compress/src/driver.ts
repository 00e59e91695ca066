/** The `compress` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import { CompressLayer } from './compress-layer.ts'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsGenericFormat */
export interface CompressOptions {
  readonly file?: ChildSpec
}

const compressOptions: OptionSchema<CompressOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'The image to compress; its format must be able to' },
}

/** The filter that turns every write into a compressed one. */
export const compressDriver: BlockDriver<CompressOptions> = defineDriver<CompressOptions>({
  formatName: 'compress',
  kind: 'filter',
  options: compressOptions,
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    if (!file.canCompress) {
      const format = file.node.driverName
      throw new BlockError('ENOTSUP', `Compression is not supported for underlying format: ${format}`)
    }
    return new CompressLayer(file)
  },
})

/** Describes a node that compresses what is written to `file`. */
export function compress(options: CompressOptions): NodeSpec<CompressOptions> {
  return nodeSpec(compressDriver, options)
}
