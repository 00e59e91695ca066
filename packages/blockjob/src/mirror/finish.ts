/** What a mirror into the chain below takes from the graph, and how its target takes the source's place. */

import {
  type BlockBackend,
  type BlockGraph,
  type BlockNode,
  createDirtyBitmap,
  type DirtyBitmap,
  freezeBackingChain,
  moveUsers,
  Permissions,
  reopenReadOnly,
} from '@blocklayer/block-core'
import { blockNodes } from '../block-nodes.ts'
import { runAll } from '../run-all.ts'
import { type CopyGeometry, copyGeometry } from './geometry.ts'

/** Name of a job's own edge to the node it reads. */
const mainNode = 'main node'

/**
 * Name for a backend that only keeps a node open: it stays with the node when a job moves its users.
 *
 * @see spec/commit-and-make-empty.md, section 11
 */
export const heldNode = 'held node'

/** Nodes that a mirror into the chain works on. */
export interface Footprint {
  readonly source: BlockBackend
  readonly target: BlockBackend
  readonly bitmap: DirtyBitmap
  readonly geometry: CopyGeometry
  /** Moves everybody from the source to the target, which becomes as writable as the source was. */
  pivot(): Promise<void>
  /** Lets go of everything that is still held. */
  release(): Promise<void>
}

/** What `attach` needs to know. */
export interface FootprintOptions {
  readonly top: BlockNode
  /** Below `top`, and writable. */
  readonly base: BlockNode
  /** Whom permission conflicts name: `commit job 'x'`. */
  readonly description: string
}

/**
 * Takes what the job needs: the chain stays together, `top` is read, `base` is written, guest writes are recorded.
 *
 * @throws BlockError where the permissions cannot be had or the chain is frozen; nothing is held then
 * @see spec/jobs.md, section 15
 */
export async function attach(graph: BlockGraph, options: FootprintOptions): Promise<Footprint> {
  const { top, base, description } = options
  const { consistentRead, write, writeUnchanged, resize, all } = Permissions
  const undo: (() => unknown)[] = []
  try {
    const source = graph.backend(top, {
      permissions: { taken: consistentRead, shared: all & ~resize },
      name: mainNode,
      description,
      isJob: true,
    })
    undo.unshift(() => source.close())
    undo.unshift(blockNodes(top, base, 'commit'))
    undo.unshift(freezeBackingChain(top, base))
    const target = graph.backend(base, {
      permissions: { taken: write, shared: consistentRead | write | writeUnchanged },
      name: 'target',
      description,
      isJob: true,
    })
    undo.unshift(() => target.close())
    const geometry = copyGeometry(base, top.length)
    const { bitmap, remove } = createDirtyBitmap(top, geometry.granularity)
    undo.unshift(remove)
    return {
      source,
      target,
      bitmap,
      geometry,
      async pivot() {
        // All but the source, which is closed last: it may be what keeps the old top open.
        await runAll(undo.splice(0, undo.length - 1))
        if (base.readOnly !== top.readOnly) await reopenReadOnly(base, top.readOnly)
        await moveUsers(top, base, (name) => name === mainNode || name === heldNode)
      },
      release: () => runAll(undo.splice(0)),
    }
  } catch (error) {
    await runAll(undo, error)
    throw error
  }
}
