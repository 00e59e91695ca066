/** The `preallocate` driver: names, options and opening. */

import { type BlockDriver, ChildRoles, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import { checkAhead, type PreallocateOptions, preallocateOptions } from './options.ts'
import { PreallocateLayer } from './preallocate-layer.ts'

/** The filter that makes its file longer before it has to be. */
export const preallocateDriver: BlockDriver<PreallocateOptions> = defineDriver<PreallocateOptions>({
  formatName: 'preallocate',
  kind: 'filter',
  options: preallocateOptions,
  async open(context, options) {
    // What is wrong with the file is told before what is wrong with the numbers.
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return new PreallocateLayer(file, checkAhead(options), context)
  },
})

/** Describes a node that preallocates its `file`. */
export function preallocate(options: PreallocateOptions): NodeSpec<PreallocateOptions> {
  return nodeSpec(preallocateDriver, options)
}
