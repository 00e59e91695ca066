/** Internal snapshots for the users of a node. */

import type { SnapshotFacts } from '../driver/layer-info.ts'
import type { BlockNode } from '../driver/node-view.ts'
import type { SnapshotMoment, SnapshotSupport, SnapshotWanted } from '../driver/snapshot-support.ts'
import { BlockError } from '../errors.ts'
import { drained } from '../graph/drain.ts'
import { flushNode } from '../io/flush.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { type BlockBackend, nodeOf } from './block-backend.ts'

/** The node that keeps snapshots: the first that can, through filters and plain windows downwards. */
function keeper(user: BlockBackend | BlockNode): { readonly node: GraphNode; readonly snapshots: SnapshotSupport } {
  let node = nodeOf(user)
  for (;;) {
    const { snapshots } = node.layer
    if (snapshots !== undefined) return { node, snapshots }
    const below = node.primaryEdge?.node
    // A node with further children would keep only a part of itself.
    if (below === undefined || node.edges.size > 1) throw BlockError.fromErrno('ENOTSUP')
    node = below
  }
}

/** The image's internal snapshots in its own order; none where nothing below `user` keeps any. */
export function snapshotsOf(user: BlockBackend | BlockNode): readonly SnapshotFacts[] {
  try {
    return keeper(user).node.layer.info?.().snapshots ?? []
  } catch (error) {
    if (error instanceof BlockError && error.code === 'ENOTSUP') return []
    throw error
  }
}

/** Runs a change while no request of any user is under way. */
async function change(
  user: BlockBackend | BlockNode,
  run: (snapshots: SnapshotSupport, node: GraphNode) => Promise<void>,
): Promise<void> {
  const { node, snapshots } = keeper(user)
  if (node.readOnly) throw BlockError.fromErrno('EACCES')
  await drained([node], async () => {
    await run(snapshots, node)
    node.writeGeneration++
    await flushNode(node)
  })
}

/**
 * Makes an internal snapshot of the disk as it is, durably.
 *
 * @throws BlockError `ENOTSUP` where the format keeps none, `EACCES` on a read-only node, `EFBIG` for one too many
 * @example
 * await createSnapshot(disk, { name: 'before-upgrade' })
 */
export function createSnapshot(
  user: BlockBackend | BlockNode,
  moment: { readonly name: string } & Partial<SnapshotMoment>,
): Promise<void> {
  const now = Date.now()
  const full: SnapshotMoment = {
    dateSeconds: Math.floor(now / 1000),
    dateNanoseconds: (now % 1000) * 1_000_000,
    vmClockNanoseconds: 0,
    vmStateBytes: 0,
    icount: 0n,
    ...moment,
  }
  return change(user, (snapshots) => snapshots.create(full))
}

/**
 * Makes the disk what it was when the snapshot was made, durably; its size may change.
 *
 * @throws BlockError `ENOENT` where there is no such snapshot, `ENOTSUP`, `EACCES`, `EBUSY`
 *   `Device has active dirty bitmaps`; the disk is as it was then
 */
export function applySnapshot(user: BlockBackend | BlockNode, wanted: SnapshotWanted): Promise<void> {
  return change(user, async (snapshots, node) => {
    // Nobody could say which parts have changed: the bitmaps would be wrong.
    if (node.dirtyBitmaps.size > 0) throw new BlockError('EBUSY', 'Device has active dirty bitmaps')
    await snapshots.apply(wanted)
  })
}

/** Forgets a snapshot and frees what only it held. @throws BlockError `ENOENT`, `ENOTSUP`, `EACCES` */
export function deleteSnapshot(user: BlockBackend | BlockNode, wanted: SnapshotWanted): Promise<void> {
  return change(user, (snapshots) => snapshots.delete(wanted))
}

/**
 * Shows a snapshot in place of the disk, until the node is closed. Its size stays the disk's present one. Only the node
 * itself is asked, not what lies below it: a window would show a part of the snapshot.
 *
 * @throws BlockError `EINVAL` on a writable node, `ENOENT` `Can't find snapshot`, `ENOTSUP`
 */
export function showSnapshot(user: BlockBackend | BlockNode, wanted: SnapshotWanted): Promise<void> {
  const node = nodeOf(user)
  const { snapshots } = node.layer
  if (snapshots === undefined) return Promise.reject(BlockError.fromErrno('ENOTSUP'))
  return drained([node], () => snapshots.show(wanted))
}
