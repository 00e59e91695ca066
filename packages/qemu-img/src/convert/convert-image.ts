/** Copies images into a new image, or into one that exists. */

import {
  type BitmapCopyOptions,
  type BlockBackend,
  BlockError,
  type BlockGraph,
  canWriteCompressed,
  checkBitmapCopy,
  copyBitmaps,
  type JobOptions,
  keepsBitmaps,
  readsZeroWhenNew,
  requestAlignmentOf,
} from '@blocklayer/block-core'
import { refusal } from '../refusal.ts'
import { type CopyOptions, copyDisk, countData } from './copy.ts'
import { zeroAlignment } from './plan.ts'
import { Sources } from './sources.ts'
import { type ConvertTarget, createTarget, planTarget, refuseCompression, type TargetPlan } from './target.ts'

/** Something that went wrong and did not end the conversion. */
export type ConvertWarning =
  /** With `salvage`: what stands at `offset` could not be read, and became zeroes. */
  | { readonly kind: 'unreadable'; readonly offset: number; readonly message: string }
  /** With `bitmaps: 'usable'`: a bitmap that nobody can trust was left out. */
  | { readonly kind: 'bitmap'; readonly name: string; readonly message: string }

/** How a conversion is done. Progress is bytes: of data where `countFirst` is given, else of the disk. */
export interface ConvertOptions extends JobOptions {
  /** Zeroes of so many bytes in a row are left out; a multiple of 512; 0: everything is written. Default 4096. */
  readonly sparseBytes?: number | undefined
  /** Write compressed clusters. */
  readonly compress?: boolean | undefined
  /** Requests in flight, at least 1. Default 8. */
  readonly workers?: number | undefined
  /** Write in the order of the disk: the same input gives the same bytes. Default true. */
  readonly inOrder?: boolean | undefined
  /** Bytes per second; 0, the default: as fast as possible. */
  readonly rate?: number | undefined
  /** Carry on where a source cannot be read, with zeroes in place of what is lost. */
  readonly salvage?: boolean | undefined
  /** Copy persistent bitmaps too: all, or those that can be trusted. */
  readonly bitmaps?: 'all' | 'usable' | undefined
  /** Look through all metadata beforehand, so that progress knows how much data there is. */
  readonly countFirst?: boolean | undefined
  readonly onWarning?: ((warning: ConvertWarning) => void) | undefined
}

const sparseDefault = 4096
const workersDefault = 8

/**
 * Copies one disk, or several one behind the other. The sources stay open, and nobody else should write to them
 * meanwhile.
 *
 * @throws BlockError with the reference's messages: before anything is made where the request makes no sense;
 *   `<target>: error while converting <format>: …`; `error while reading …`, `error while writing …`, or `signal.reason`
 *   where the target holds a part, which is the caller's to remove
 * @see QEMU 7.2 qemu-img.c: img_convert; spec/qemu-img.md, section 15
 * @example
 * await convertImage(graph, disk, { filename: 'small.qcow2', format: 'qcow2' }, {
 *   compress: true,
 *   onProgress: ({ current, total }) => console.log(`${current} of ${total} bytes`),
 * })
 */
export async function convertImage(
  graph: BlockGraph,
  sources: BlockBackend | readonly BlockBackend[],
  target: ConvertTarget,
  options: ConvertOptions = {},
): Promise<void> {
  const disks: readonly BlockBackend[] = 'root' in sources ? [sources] : sources
  const [first] = disks
  if (first === undefined) throw new RangeError('nothing to convert')
  const whole = new Sources(disks)
  const { compress = false } = options
  const plan = await planTarget(graph, target, { bytes: whole.length, sourceCount: disks.length, compress })
  const bitmaps = bitmapCopy(options)
  if (bitmaps !== undefined) checkBitmaps(disks, bitmaps)
  if (plan.creation !== undefined) await createTarget(plan.creation, options.signal)
  const { disk, isOurs } = await openTarget(graph, target)
  try {
    checkTarget(disk, target, { bytes: whole.length, compress, bitmaps: bitmaps !== undefined })
    const copying = await copyOptions(whole, disk, { target, plan, options })
    await copyDisk(copying)
    const total = copying.dataTotal > 0 ? copying.dataTotal : whole.length
    options.onProgress?.({ current: total, total })
    if (bitmaps !== undefined) await copyBitmaps(first.root, disk.root, bitmaps)
  } catch (error) {
    // What closing meets now is a consequence: the reason is what counts.
    if (isOurs) await disk.close().catch(() => undefined)
    throw error
  }
  if (isOurs) await disk.close()
}

/** How bitmaps are copied; `undefined`: not at all. */
function bitmapCopy({ bitmaps, onWarning }: ConvertOptions): BitmapCopyOptions | undefined {
  if (bitmaps === undefined) return undefined
  if (bitmaps === 'all') return {}
  return {
    onSkipped: (name) => onWarning?.({ kind: 'bitmap', name, message: `Skipping inconsistent bitmap '${name}'` }),
  }
}

function checkBitmaps(disks: readonly BlockBackend[], bitmaps: BitmapCopyOptions): void {
  const [source] = disks
  if (source === undefined || disks.length > 1) {
    throw refusal('bitmaps', 'EINVAL', 'Copying bitmaps only possible with single source')
  }
  checkBitmapCopy(source.root, bitmaps)
}

async function openTarget(
  graph: BlockGraph,
  target: ConvertTarget,
): Promise<{ readonly disk: BlockBackend; readonly isOurs: boolean }> {
  if ('disk' in target) {
    return { disk: typeof target.disk === 'function' ? await target.disk() : target.disk, isOurs: false }
  }
  if (target.open !== undefined) return { disk: await target.open(), isOurs: false }
  try {
    return { disk: await graph.open(target.filename, { format: target.format, unmap: true }), isOurs: true }
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(`Could not open '${target.filename}': `) : error
  }
}

interface Wanted {
  readonly bytes: number
  readonly compress: boolean
  readonly bitmaps: boolean
}

function checkTarget(disk: BlockBackend, target: ConvertTarget, wanted: Wanted): void {
  if (wanted.bitmaps && !keepsBitmaps(disk.root)) {
    throw refusal('bitmaps', 'ENOTSUP', `Format driver '${disk.root.driverName}' does not support bitmaps`)
  }
  if (wanted.compress && !canWriteCompressed(disk.root)) refuseCompression()
  if ('disk' in target && disk.length < wanted.bytes) {
    throw refusal('target-too-small', 'ENOSPC', 'output file is smaller than input file')
  }
}

async function copyOptions(
  sources: Sources,
  target: BlockBackend,
  setting: { readonly target: ConvertTarget; readonly plan: TargetPlan; readonly options: ConvertOptions },
): Promise<CopyOptions> {
  const { options, plan } = setting
  const { sparseBytes = sparseDefault, onWarning } = options
  const targetHasBacking = plan.backing !== undefined
  const isNew = plan.creation !== undefined && sparseBytes > 0 && !targetHasBacking
  const saidZero = 'isZero' in setting.target && setting.target.isZero === true
  const alignment = zeroAlignment(sparseBytes, requestAlignmentOf(target.root))
  const settled: CopyOptions = {
    sources,
    target,
    rules: { targetHasBacking, targetBackingBytes: target.root.backing?.length ?? Number.POSITIVE_INFINITY },
    sparse: sparseBytes === 0 ? undefined : { sparseBytes, alignment },
    targetReadsZero: saidZero || (isNew && (await readsZeroWhenNew(target.root))),
    compress: options.compress === true ? clusterBytesOf(target) : undefined,
    workers: options.workers ?? workersDefault,
    inOrder: options.inOrder ?? true,
    rate: options.rate ?? 0,
    salvage:
      options.salvage === true ? (offset, message) => onWarning?.({ kind: 'unreadable', offset, message }) : undefined,
    dataTotal: 0,
    signal: options.signal,
    onProgress: options.onProgress,
  }
  return options.countFirst === true ? { ...settled, dataTotal: await countData(settled) } : settled
}

/** Compressed data is written in whole clusters, so there must be such. */
function clusterBytesOf(target: BlockBackend): number {
  return target.info.clusterSize ?? refuseCompression()
}
