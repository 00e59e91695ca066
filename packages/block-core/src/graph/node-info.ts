/** What a query tells of an open node, or of all nodes of a graph. */

import type { DirtyBitmapFacts } from '../dirty-bitmap/node-bitmaps.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { type DetectZeroes, type GraphNode, graphNode } from '../node/graph-node.ts'
import { dirtyBitmapFacts } from './dirty-bitmaps.ts'
import { chainFacts, type ImageFacts, imageFacts } from './image-facts.ts'

/**
 * One open node: plain data under the reference's names. Its limits on throughput are not there, since they belong to
 * throttle nodes now.
 */
export interface NodeInfo {
  readonly 'node-name': string
  /** Name of the driver. */
  readonly drv: string
  /** Read-only. */
  readonly ro: boolean
  readonly file: string
  readonly encrypted: boolean
  readonly detect_zeroes: DetectZeroes
  readonly cache: { readonly writeback: boolean; readonly direct: boolean; readonly 'no-flush': boolean }
  /** File name of the open backing file. */
  readonly backing_file?: string
  /** Steps down the chain, filters counted; 0 where only the node itself was looked at. */
  readonly backing_file_depth: number
  /** Offset in bytes from which on a write is told; 0: none. */
  readonly write_threshold: number
  /** Youngest first; absent for none. */
  readonly 'dirty-bitmaps'?: readonly DirtyBitmapFacts[]
  readonly image: ImageFacts
}

/** How much is told. */
export interface NodeInfoOptions {
  /** Leave out what lies below in the chain. */
  readonly flat?: boolean
}

/**
 * What there is to know about a node.
 *
 * @example
 * const disk = await graph.open('disk.qcow2', { readOnly: true })
 * console.log((await nodeInfo(disk.root)).image['virtual-size'])
 *
 * @see QEMU 7.2 qapi/block-core.json: BlockDeviceInfo
 */
export async function nodeInfo(node: BlockNode, { flat = false }: NodeInfoOptions = {}): Promise<NodeInfo> {
  const own = graphNode(node)
  const bitmaps = dirtyBitmapFacts(node)
  const backing = own.backing
  return {
    'node-name': own.nodeName,
    drv: own.driverName,
    ro: own.readOnly,
    file: own.filename,
    encrypted: own.liveLayer?.info?.().encrypted ?? false,
    detect_zeroes: own.detectZeroes,
    // Whether writes wait for the disk is a matter of each user; a node by itself never does.
    cache: { writeback: true, direct: own.flags.direct, 'no-flush': own.flags.noFlush },
    ...(backing === undefined ? {} : { backing_file: backing.filename }),
    backing_file_depth: flat ? 0 : depthOf(own),
    write_threshold: own.io.threshold.bytes,
    ...(bitmaps.length === 0 ? {} : { 'dirty-bitmaps': bitmaps }),
    image: await (flat ? imageFacts(node) : chainFacts(node)),
  }
}

function depthOf(node: GraphNode): number {
  let depth = 0
  for (let edge = node.chainEdge; edge !== undefined; edge = edge.node.chainEdge) depth++
  return depth
}

/** All nodes of a graph that have a medium, the youngest first. @see QEMU 7.2 query-named-block-nodes */
export async function namedNodes(
  graph: { readonly nodes: readonly BlockNode[] },
  options: NodeInfoOptions = {},
): Promise<readonly NodeInfo[]> {
  const infos: NodeInfo[] = []
  for (const node of graph.nodes) {
    if (graphNode(node).liveLayer !== undefined) infos.push(await nodeInfo(node, options))
  }
  return infos
}
