/** Has an image record another backing file; the open chain stays as it is. */

import type { BackingReference, BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { type GraphNode, graphNode } from '../node/graph-node.ts'
import { stripFilePrefix } from '../options/filename.ts'
import { nameBeside } from './directory.ts'
import { reopenReadOnly } from './operations.ts'

/** What an image is to record. */
export interface BackingChange {
  /** Stored verbatim; absent: the image is to name none. */
  readonly filename?: string | undefined
  readonly format?: string | undefined
  /** Refuse a name without a format: whoever opens the image next would have to guess. */
  readonly requireFormat?: boolean
}

/**
 * Records another backing file in a writable image, durably.
 *
 * @throws BlockError `EINVAL` for a format without a name, or for a name without the format that is required; `ENOTSUP`
 *   where the format of the image cannot; `EPERM` on a read-only node; or what the driver reports
 * @see spec/block-layer.md, section 25.2, change_backing_file
 */
export async function changeBackingFile(node: BlockNode, change: BackingChange): Promise<void> {
  const overlay = graphNode(node)
  await overlay.backingRewrites.run(() => record(overlay, change))
}

/**
 * As `changeBackingFile`, also for an image that is read-only now: it is writable for just so long. Nobody else's change
 * comes between, who would find it writable and then lose that in the middle of a write.
 *
 * @throws BlockError as `changeBackingFile`, and as reopening
 */
export async function rewriteBacking(overlay: GraphNode, change: BackingChange): Promise<void> {
  await overlay.backingRewrites.run(() => whileWritable(overlay, () => record(overlay, change)))
}

async function record(overlay: GraphNode, change: BackingChange): Promise<void> {
  const { filename, format, requireFormat = false } = change
  if (filename === undefined && format !== undefined) throw BlockError.fromErrno('EINVAL')
  if (filename !== undefined && format === undefined && requireFormat) throw BlockError.fromErrno('EINVAL')
  const maintenance = overlay.layer.maintenance
  if (maintenance?.changeBacking === undefined) throw BlockError.fromErrno('ENOTSUP')
  if (overlay.readOnly) throw BlockError.fromErrno('EPERM')
  const reference = filename === undefined ? undefined : { filename, format }
  await maintenance.changeBacking(reference)
  overlay.implicitBackingFilename = implicitName(overlay, reference)
}

/**
 * The name that opening `reference` would give its node: names are compared to find out whether the open backing file is
 * the recorded one. For an overlay without a folder that is nobody's name.
 */
function implicitName(overlay: GraphNode, reference: BackingReference | undefined): string | undefined {
  if (reference === undefined) return undefined
  try {
    return stripFilePrefix(nameBeside(overlay, reference.filename))
  } catch (error) {
    if (error instanceof BlockError) return reference.filename
    throw error
  }
}

/**
 * Runs `act` while `node` is writable, and makes it read-only again if it was.
 *
 * @throws what reopening or `act` throws; the node is as it was where it could be brought back
 */
export async function whileWritable(node: GraphNode, act: () => Promise<void>): Promise<void> {
  if (!node.readOnly) return act()
  await reopenReadOnly(node, false)
  try {
    await act()
  } catch (error) {
    await backToReadOnly(node, error)
  }
  await reopenReadOnly(node, true)
}

/** @throws always: `first`, with what went wrong on the way back beside it */
async function backToReadOnly(node: GraphNode, first: unknown): Promise<never> {
  try {
    await reopenReadOnly(node, true)
  } catch (second) {
    if (!(first instanceof BlockError)) throw first
    const cause = new AggregateError([first, second], 'the way back failed too')
    throw new BlockError(first.code, first.message, { cause, hint: first.hint })
  }
  throw first
}
