/** What an open image says about itself, in the fields of the reference's `ImageInfo`. */

import type { InfoValue, LayerInfo, SnapshotFacts } from '../driver/layer-info.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { type GraphNode, graphNode } from '../node/graph-node.ts'
import { hostBytesOf, resolvedBackingName } from './queries.ts'

/** One image; sizes in bytes. Plain data under the reference's names, so that it can be sent as it is. */
export interface ImageFacts {
  readonly filename: string
  /** Name of the driver. */
  readonly format: string
  readonly 'virtual-size': number
  /** Space on the host; absent where nobody knows. */
  readonly 'actual-size'?: number
  readonly 'cluster-size'?: number
  /** Only there where it is true. */
  readonly encrypted?: true
  /** The image was not closed cleanly. Absent for a driver that tells nothing of its nodes. */
  readonly 'dirty-flag'?: boolean
  /** As the image records it. */
  readonly 'backing-filename'?: string
  readonly 'backing-filename-format'?: string
  /** The name that it is opened by; absent where the image has no place that a relative name could count from. */
  readonly 'full-backing-filename'?: string
  /** Internal snapshots in the image's own order: `id`, `name`, `vm-state-size`, `date-sec` … */
  readonly snapshots?: readonly { readonly [key: string]: string | number | bigint }[]
  readonly 'format-specific'?: { readonly type: string; readonly data: { readonly [key: string]: InfoValue } }
  /** The next image or filter down the chain. */
  readonly 'backing-image'?: ImageFacts
}

/**
 * What `node` says about itself, without the images below.
 *
 * @see QEMU 7.2 qapi/block-core.json: ImageInfo
 */
export async function imageFacts(node: BlockNode): Promise<ImageFacts> {
  const own = graphNode(node)
  const info = infoOf(own)
  const actual = await knownBytes(node)
  return {
    filename: own.filename,
    format: own.driverName,
    'virtual-size': own.length,
    ...(actual === undefined ? {} : { 'actual-size': actual }),
    ...(info?.clusterSize === undefined ? {} : { 'cluster-size': info.clusterSize }),
    ...(info?.encrypted === true ? { encrypted: true } : {}),
    ...(info === undefined ? {} : { 'dirty-flag': info.dirty ?? false }),
    ...backingFacts(own),
    ...snapshotsAndMore(own.liveLayer?.info?.()),
  }
}

/** As `imageFacts`, with the images below it one inside the other. */
export async function chainFacts(node: BlockNode): Promise<ImageFacts> {
  const below = graphNode(node).chainEdge?.node
  const own = await imageFacts(node)
  return below === undefined ? own : { ...own, 'backing-image': await chainFacts(below) }
}

/** Nodes that say nothing of their own say what the node below says; who has none below, and says nothing, is silent. */
function infoOf(node: GraphNode): LayerInfo | undefined {
  const own = node.liveLayer?.info?.()
  const below = node.primaryEdge?.node
  const isSilent = own === undefined || Object.keys(own).length === 0
  return isSilent && below !== undefined ? infoOf(below) : own
}

function backingFacts(node: GraphNode): Pick<ImageFacts, 'backing-filename'> {
  const recorded = node.backingReference
  if (recorded === undefined) return {}
  const full = resolvedBackingName(node)
  return {
    'backing-filename': recorded.filename,
    ...(recorded.format === undefined ? {} : { 'backing-filename-format': recorded.format }),
    ...(full === undefined ? {} : { 'full-backing-filename': full }),
  }
}

function snapshotsAndMore(info: LayerInfo | undefined): Pick<ImageFacts, 'snapshots' | 'format-specific'> {
  const { snapshots = [], specific } = info ?? {}
  return {
    ...(snapshots.length === 0 ? {} : { snapshots: snapshots.map(snapshotMembers) }),
    ...(specific === undefined ? {} : { 'format-specific': specific }),
  }
}

/** One snapshot as JSON members. @see QEMU 7.2 qapi/block-core.json: SnapshotInfo */
export function snapshotMembers(snapshot: SnapshotFacts): Record<string, string | number | bigint> {
  const { id, name, vmStateBytes, dateSeconds, dateNanoseconds, vmClockNanoseconds, icount } = snapshot
  return {
    id,
    name,
    'vm-state-size': vmStateBytes,
    'date-sec': dateSeconds,
    'date-nsec': dateNanoseconds,
    'vm-clock-sec': Math.floor(vmClockNanoseconds / 1e9),
    'vm-clock-nsec': vmClockNanoseconds % 1e9,
    ...(icount === undefined ? {} : { icount }),
  }
}

/** A file system that will not say is no reason to fail. */
async function knownBytes(node: BlockNode): Promise<number | undefined> {
  try {
    return await hostBytesOf(node)
  } catch (error) {
    if (error instanceof BlockError) return undefined
    throw error
  }
}
