/** What the parts of opening a node hand to each other. */

import type { NodeSpec } from '../driver/block-driver.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import type { GraphCore } from './graph-core.ts'
import type { Inherited } from './open-options.ts'

/** What is to be opened, and under which circumstances. */
export interface OpenRequest {
  /** A name as a user types it or an image records it. */
  readonly filename?: string | undefined
  /** Options besides the name; the request owns the map. */
  readonly flat?: FlatOptions
  /** A description in code, instead of name and options. */
  readonly spec?: NodeSpec
  readonly inherited: Inherited
  /** In place of the backing file that the image names; `null`: none. */
  readonly backing?: NodeSpec | null | undefined
  /** Plain names of the images above, so that a chain that bites its own tail is found. */
  readonly overlays: readonly string[]
  /** The parent that opens this node inline. */
  readonly parent?: GraphNode | undefined
  readonly signal?: AbortSignal | undefined
}

/** Opens a node; handed down, because a node's children are opened by the same function as the node. */
export type OpenNode = (core: GraphCore, request: OpenRequest) => Promise<GraphNode>
