/** A graph with one node: a recorder, or whatever stands on one. */

import type { NodeSpec } from '../../src/driver.ts'
import { type BlockBackend, type BlockGraph, createBlockGraph, type OpenOptions, Permissions } from '../../src/index.ts'
import { type GraphNode, graphNode } from '../../src/node/graph-node.ts'
import { type Recorder, record } from './recorder.ts'

export interface OpenRecorder extends AsyncDisposable {
  readonly graph: BlockGraph
  readonly disk: BlockBackend
  readonly node: GraphNode
}

/** Opens `recorder` as a node of its own; disposing closes the graph. */
export function openRecorder(
  recorder: Recorder,
  common: NonNullable<NodeSpec['common']> = {},
  options: OpenOptions = { unmap: true },
): Promise<OpenRecorder> {
  return openSpec(record(recorder, { common }), options)
}

/** Opens any description in a graph of its own. */
export async function openSpec(spec: NodeSpec, options: OpenOptions = { unmap: true }): Promise<OpenRecorder> {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(spec, options)
  return { graph, disk, node: graphNode(disk.root), [Symbol.asyncDispose]: () => graph.close() }
}

/** Opens a writable node that nobody reads or writes: like one that a monitor holds. */
export async function held(graph: BlockGraph, spec: NodeSpec): Promise<GraphNode> {
  const disk = await graph.open(spec)
  graph.backend(disk.root, { permissions: { taken: 0, shared: Permissions.all } })
  const node = graphNode(disk.root)
  await disk.close()
  return node
}

/** A promise that a test opens from outside, to hold a request where it is. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Lets everything run that can run without further events. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
