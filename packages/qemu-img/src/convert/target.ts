/** The target of a conversion: what kind of image it is to be, and making it. */

import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type CreateOptions,
  type FlatOptions,
  type ImageCreation,
} from '@blocklayer/block-core'
import { refusal } from '../refusal.ts'

/** Backing file of the target. */
export interface TargetBacking {
  readonly filename: string
  readonly format?: string | undefined
}

/** An image that is to be made, replacing a file that exists. */
export interface NewTarget {
  readonly filename: string
  readonly format: string
  /** The format's creation options; the sources decide the size. */
  readonly options?: CreateOptions['options']
  /** Holds already what the source has from its own backing file: that is not copied. Its format is needed. */
  readonly backing?: TargetBacking | undefined
  /** Opens the finished image, which its caller closes then. Default: opened by name and format, and closed. */
  readonly open?: (() => Promise<BlockBackend>) | undefined
}

/** An image that is there already. */
export interface ExistingTarget {
  /** Open and writable, or what opens it when everything else has been checked; its caller closes it. */
  readonly disk: BlockBackend | (() => Promise<BlockBackend>)
  /** Its driver, to be judged before it is opened. */
  readonly format?: string | undefined
  /** It reads as zeroes everywhere, so that zeroes need no writing. */
  readonly isZero?: boolean | undefined
  /** As for a new target; what it really has is not looked at. */
  readonly backing?: TargetBacking | undefined
}

/** Where a conversion goes. */
export type ConvertTarget = NewTarget | ExistingTarget

/** What is known of a conversion before there is a target. */
export interface TargetNeeds {
  /** Size of the target. */
  readonly bytes: number
  readonly sourceCount: number
  readonly compress: boolean
}

/** A target, checked and ready to be made. */
export interface TargetPlan {
  /** `undefined`: the target is there already. */
  readonly creation: ImageCreation | undefined
  readonly backing: TargetBacking | undefined
}

/**
 * Checks how the target is to be made, in the reference's order.
 *
 * @throws BlockError with messages without the file name
 */
export async function planTarget(graph: BlockGraph, target: ConvertTarget, needs: TargetNeeds): Promise<TargetPlan> {
  const { options, backing } = settle(target)
  const creation = 'filename' in target ? await prepare(graph, target, { options, backing, ...needs }) : undefined
  if (backing !== undefined) checkBacking(target, backing, needs)
  if (needs.compress && target.format !== undefined) checkCompression(graph, target.format, options)
  return { creation, backing }
}

/** The creation options, and the backing file that is given beside or among them. */
function settle(target: ConvertTarget): { readonly options: FlatOptions; readonly backing: TargetBacking | undefined } {
  const given = ('options' in target ? target.options : undefined) ?? {}
  const options: FlatOptions = new Map(given instanceof Map ? given : Object.entries(given))
  // The sources decide how large the target is.
  options.delete('size')
  const filename = target.backing?.filename ?? options.get('backing_file')
  if (filename === undefined || filename === null) return { options, backing: undefined }
  const format = target.backing?.format ?? options.get('backing_fmt') ?? undefined
  options.delete('backing_file')
  options.delete('backing_fmt')
  return { options, backing: { filename: String(filename), format: format === undefined ? undefined : String(format) } }
}

function prepare(
  graph: BlockGraph,
  { format, filename }: NewTarget,
  { bytes, options, backing }: TargetNeeds & ReturnType<typeof settle>,
): Promise<ImageCreation> {
  return graph.prepareCreate(format, filename, {
    size: bytes,
    options,
    // A backing file without a format is refused below, after what the reference checks first.
    ...(backing === undefined ? {} : { backing: { filename: backing.filename, format: backing.format ?? 'raw' } }),
    // The target is opened with its backing file afterwards; looking at it here would be once too often.
    unsafeBacking: true,
  })
}

function checkBacking(target: ConvertTarget, backing: TargetBacking, { sourceCount }: TargetNeeds): void {
  if ('isZero' in target && target.isZero === true) {
    const message = 'Cannot use --target-is-zero when the destination image has a backing file'
    throw refusal('target-is-zero', 'EINVAL', message)
  }
  if (sourceCount > 1) {
    throw refusal(
      'backing',
      'EINVAL',
      'Having a backing file for the target makes no sense when concatenating multiple input images',
    )
  }
  if ('filename' in target && backing.format === undefined) {
    throw refusal('backing', 'EINVAL', 'Use of backing file requires explicit backing format')
  }
}

/** @throws BlockError `Compression not supported for this file format` */
export function refuseCompression(): never {
  throw refusal('compression', 'ENOTSUP', 'Compression not supported for this file format')
}

/** Before anything is made: a target that cannot be used would be left behind. */
function checkCompression(graph: BlockGraph, format: string, options: FlatOptions): void {
  const driver = graph.drivers.find(({ formatName }) => formatName === format)
  if (driver?.supportsCompression !== true) refuseCompression()
  const preallocation = options.get('preallocation')
  if (preallocation !== undefined && preallocation !== 'off') {
    throw refusal('compression', 'EINVAL', 'Compression and preallocation not supported at the same time')
  }
}

/**
 * Makes the new image.
 *
 * @throws BlockError `<target>: error while converting <format>: …`
 */
export async function createTarget(creation: ImageCreation, signal?: AbortSignal | undefined): Promise<void> {
  try {
    await creation.run({ signal })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw error.prepend(`${creation.filename}: error while converting ${creation.format}: `)
  }
}
