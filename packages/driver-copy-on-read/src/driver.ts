/** The `copy-on-read` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type FrozenChain,
  type NodeSpec,
  nodeSpec,
  type OpenContext,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import { CopyOnReadLayer } from './copy-on-read-layer.ts'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsCor */
export interface CopyOnReadOptions {
  readonly file?: ChildSpec
  /** Name of the last node of the chain from which is copied; absent: all of it. */
  readonly bottom?: string
}

const copyOnReadOptions: OptionSchema<CopyOnReadOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'The image that keeps what is read' },
  bottom: { name: 'bottom', type: 'string', help: 'Node below which nothing is copied' },
}

/** The filter that copies what is read from backing files into the image. */
export const copyOnReadDriver: BlockDriver<CopyOnReadOptions> = defineDriver<CopyOnReadOptions>({
  formatName: 'copy-on-read',
  kind: 'filter',
  options: copyOnReadOptions,
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return new CopyOnReadLayer(file, chainTo(context, options.bottom))
  },
})

/** The frozen chain down to the node named `bottom`; the reference's texts for what is no bottom. */
function chainTo(context: OpenContext, bottom: string | undefined): FrozenChain | undefined {
  if (bottom === undefined) return undefined
  const node = context.findNode(bottom)
  if (node === undefined) throw new BlockError('EINVAL', `Bottom node '${bottom}' not found`)
  if (node.ejected) throw new BlockError('EINVAL', `Bottom node '${bottom}' not opened`)
  if (node.driverKind === 'filter') throw new BlockError('EINVAL', `Bottom node '${bottom}' is a filter`)
  return context.freezeChain(node)
}

/** Describes a node that copies what is read from below `file` into it. */
export function copyOnRead(options: CopyOnReadOptions): NodeSpec<CopyOnReadOptions> {
  return nodeSpec(copyOnReadDriver, options)
}
