/** Asking a node what its file is made of. */

import type { LayoutSupport } from '../driver/layout.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { graphNode } from '../node/graph-node.ts'
import { skipFilters } from './backing-chain.ts'

/**
 * What the image at `node`, below any filters, says about its file.
 *
 * @returns `undefined` where its format has nothing to say
 */
export function layoutOf(node: BlockNode): LayoutSupport | undefined {
  return skipFilters(graphNode(node)).layer.layout
}
