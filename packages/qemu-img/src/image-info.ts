/** What an image, or every image of a chain, says about itself. */

import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type BlockNode,
  type ImageFacts,
  type InfoValue,
  imageFacts,
  type SnapshotFacts,
  snapshotsOf,
} from '@blocklayer/block-core'
import { type BlockLimits, blockLimits } from './block-limits.ts'

/** What one image says about itself. */
export interface ImageInfo {
  readonly filename: string
  readonly format: string
  /** Bytes; `bigint` where the format allows more than JavaScript counts. */
  readonly virtualSize: number | bigint
  /** Bytes the host really uses; `undefined` where nobody knows. */
  readonly actualSize: number | undefined
  readonly encrypted: boolean
  /** Bytes. */
  readonly clusterSize: number | undefined
  /** It was not closed cleanly. */
  readonly dirty: boolean | undefined
  /** As the image records it. */
  readonly backingFilename: string | undefined
  readonly backingFormat: string | undefined
  /** The name to open it by, made relative to the current folder; `undefined` where it cannot be determined. */
  readonly fullBackingFilename: string | undefined
  readonly snapshots: readonly SnapshotFacts[]
  /** The nodes below, where they were asked for. */
  readonly children?: readonly ChildInfo[]
  /** What it asks of requests, where that was asked for. */
  readonly limits?: BlockLimits
  /** What only this format has to say. */
  readonly specific: { readonly type: string; readonly data: { readonly [key: string]: InfoValue } } | undefined
}

/** A node below an image. */
export interface ChildInfo {
  /** Under which the node above has it: `file`. */
  readonly name: string
  /** It stores bytes, and is no image. */
  readonly isProtocol: boolean
  readonly info: ImageInfo
}

/**
 * What an open image says about itself. Only metadata are read: it may be opened with `noIo` and `noBacking`.
 *
 * @param options - `children`: tell of the nodes below, too, as far as they are open; `limits`: what each node that is
 *   told of asks of requests
 * @see QEMU 7.2 block/qapi.c: bdrv_query_image_info
 * @example
 * const { format, virtualSize, snapshots } = await imageInfo(disk)
 * console.log(format, virtualSize, snapshots.map(({ name }) => name))
 */
export async function imageInfo(
  disk: BlockBackend,
  options: { readonly children?: boolean | undefined; readonly limits?: boolean | undefined } = {},
): Promise<ImageInfo> {
  const { root, info } = disk
  return {
    ...ownInfo(await imageFacts(root)),
    virtualSize: disk.length,
    encrypted: info.encrypted === true,
    snapshots: snapshotsOf(disk),
    specific: info.specific,
    ...(options.limits === true ? { limits: blockLimits(root) } : {}),
    ...(options.children === true ? { children: await childrenInfo(root, options.limits === true) } : {}),
  }
}

async function childrenInfo(node: BlockNode, limits: boolean): Promise<ChildInfo[]> {
  const children: ChildInfo[] = []
  for (const [name, child] of node.children) {
    const facts = await imageFacts(child)
    const isProtocol = child.driverKind === 'protocol'
    const specific = facts['format-specific'] ?? (isProtocol ? { type: child.driverName, data: {} } : undefined)
    const info = {
      ...ownInfo(facts),
      specific,
      ...(limits ? { limits: blockLimits(child) } : {}),
      children: await childrenInfo(child, limits),
    }
    children.push({ name, isProtocol, info })
  }
  return children
}

function ownInfo(facts: ImageFacts): Omit<ImageInfo, 'specific'> {
  return {
    filename: facts.filename,
    format: facts.format,
    virtualSize: facts['virtual-size'],
    actualSize: facts['actual-size'],
    encrypted: facts.encrypted === true,
    clusterSize: facts['cluster-size'],
    dirty: facts['dirty-flag'],
    backingFilename: facts['backing-filename'],
    backingFormat: facts['backing-filename-format'],
    fullBackingFilename: facts['full-backing-filename'],
    snapshots: [],
  }
}

/** An image as the one above it names it. */
export interface NamedImage {
  readonly filename: string
  /** Absent: to be probed. */
  readonly format?: string | undefined
}

/** How the images of a chain are opened. */
export interface ChainInfoOptions {
  /** Of the top image; absent: it is probed. */
  readonly format?: string | undefined
  /** Read images that somebody else may be writing. */
  readonly forceShare?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Tells of each image of a chain, from the top down. Each is closed before the next is opened, so that a chain through a
 * missing image fails at the right one.
 *
 * @throws BlockError `Could not open '<filename>': …`, or as {@link walkChain}; `signal.reason`
 * @example
 * for (const { filename, actualSize } of await chainInfo(graph, 'disk.qcow2')) console.log(filename, actualSize)
 */
export function chainInfo(graph: BlockGraph, filename: string, options: ChainInfoOptions = {}): Promise<ImageInfo[]> {
  const { format, forceShare, signal } = options
  return walkChain({ filename, format }, async (image) => {
    signal?.throwIfAborted()
    const open = { format: image.format, readOnly: true, noIo: true, noBacking: true, forceShare, signal }
    await using disk = await opened(image, () => graph.open(image.filename, open))
    return await imageInfo(disk)
  })
}

async function opened({ filename }: NamedImage, open: () => Promise<BlockBackend>): Promise<BlockBackend> {
  try {
    return await open()
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(`Could not open '${filename}': `) : error
  }
}

/**
 * Follows a chain by what its images record; how each is read is up to the caller.
 *
 * @param read - gets an image and its depth below the first
 * @throws BlockError `ELOOP` where the chain bites its own tail, `EINVAL` where an image's place cannot be determined; what
 *   `read` throws
 */
export async function walkChain(
  first: NamedImage,
  read: (image: NamedImage, depth: number) => Promise<ImageInfo>,
): Promise<ImageInfo[]> {
  const infos: ImageInfo[] = []
  const seen = new Set<string>()
  for (let next: NamedImage | undefined = first; next !== undefined; ) {
    if (seen.has(next.filename)) {
      throw new BlockError('ELOOP', `Backing file '${next.filename}' creates an infinite loop.`)
    }
    seen.add(next.filename)
    const info: ImageInfo = await read(next, infos.length)
    infos.push(info)
    next = backingImage(info)
  }
  return infos
}

function backingImage({ backingFilename, fullBackingFilename, backingFormat }: ImageInfo): NamedImage | undefined {
  if (backingFilename === undefined) return undefined
  if (fullBackingFilename === undefined) {
    const message = `Could not determine absolute backing filename, but backing filename '${backingFilename}' present`
    throw new BlockError('EINVAL', message)
  }
  return { filename: fullBackingFilename, format: backingFormat }
}
