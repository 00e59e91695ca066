/** The target of a conversion: what kind of image it is to be, and making it. */

import {
  BlockError,
  type BlockGraph,
  type FlatOptions,
  type ImageCreation,
  parseOptionList,
} from '@blocklayer/block-core'
import { Failure, withHint } from '../../failure.ts'
import type { ConvertArguments } from './options.ts'

/** Backing file of the new image. */
export interface TargetBacking {
  readonly filename: string
  readonly format: string | undefined
}

/** A new target, checked and ready to be made. */
export interface TargetPlan {
  /** `undefined` with `-n`: the target is there already. */
  readonly creation: ImageCreation | undefined
  readonly backing: TargetBacking | undefined
}

/**
 * Checks how the target is to be made, in the reference's order.
 *
 * @param bytes - size of the target
 * @throws Failure, BlockError with messages without the file name
 */
export async function planTarget(graph: BlockGraph, given: ConvertArguments, bytes: number): Promise<TargetPlan> {
  const options: FlatOptions = given.options === undefined ? new Map() : parseOptionList(given.options)
  const backing = settleBacking(given, options)
  const format = given.targetFormat ?? 'raw'
  const skip = given.flags.has('n')
  refuseBackingFormat(graph, format, given, skip)
  const creation = skip ? undefined : await prepare(graph, given, { format, bytes, options, backing })
  checkBacking(given, backing, skip)
  if (given.flags.has('c') && given.targetFormat !== undefined) checkCompression(given.targetFormat, options)
  return { creation, backing }
}

/** `-B` and `-F`, or what stands for them among the options; taken out of `options`. */
function settleBacking(given: ConvertArguments, options: FlatOptions): TargetBacking | undefined {
  const filename = given.backingFile ?? options.get('backing_file')
  const format = given.backingFormat ?? options.get('backing_fmt')
  if (filename === undefined || filename === null) return undefined
  options.delete('backing_file')
  options.delete('backing_fmt')
  return { filename: String(filename), format: format === undefined || format === null ? undefined : String(format) }
}

function refuseBackingFormat(graph: BlockGraph, format: string, given: ConvertArguments, skip: boolean): void {
  if (skip || given.backingFile !== undefined || given.backingFormat === undefined) return
  const driver = graph.drivers.find(({ formatName }) => formatName === format)
  const rows = Object.values<{ readonly name: string }>(driver?.create?.options ?? {})
  if (driver?.create === undefined || rows.some(({ name }) => name === 'backing_fmt')) return
  throw new Failure(`Backing file format not supported for file format '${format}'`)
}

interface Preparation {
  readonly format: string
  readonly bytes: number
  readonly options: FlatOptions
  readonly backing: TargetBacking | undefined
}

function prepare(
  graph: BlockGraph,
  given: ConvertArguments,
  { format, bytes, options, backing }: Preparation,
): Promise<ImageCreation> {
  // The sources decide how large the target is.
  options.delete('size')
  if (backing === undefined && given.backingFormat !== undefined) options.set('backing_fmt', given.backingFormat)
  return graph.prepareCreate(format, given.target, {
    size: bytes,
    options,
    // A backing file without a format is refused below, after what the reference checks first.
    ...(backing === undefined ? {} : { backing: { filename: backing.filename, format: backing.format ?? 'raw' } }),
    // The target is opened with its backing file afterwards; looking at it here would be once too often.
    unsafeBacking: true,
  })
}

function checkBacking(given: ConvertArguments, backing: TargetBacking | undefined, skip: boolean): void {
  if (backing === undefined) return
  if (given.flags.has('target-is-zero')) {
    // The reference ends with status 0 here, and scripts may rely on it.
    throw new Failure('Cannot use --target-is-zero when the destination image has a backing file', { exitCode: 0 })
  }
  if (given.sources.length > 1) {
    throw new Failure('Having a backing file for the target makes no sense when concatenating multiple input images')
  }
  if (!skip && backing.format === undefined) {
    throw new Failure('Use of backing file requires explicit backing format')
  }
}

/** @throws Failure `Compression not supported for this file format` */
export function refuseCompression(): never {
  throw new Failure('Compression not supported for this file format')
}

function checkCompression(format: string, options: FlatOptions): void {
  if (format !== 'qcow2') refuseCompression()
  const preallocation = options.get('preallocation')
  if (preallocation !== undefined && preallocation !== 'off') {
    throw new Failure('Compression and preallocation not supported at the same time')
  }
}

/**
 * Makes the new image.
 *
 * @throws Failure `<target>: error while converting <format>: …`
 */
export async function createTarget(creation: ImageCreation): Promise<void> {
  try {
    await creation.run()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const { filename, format } = creation
    throw new Failure(`${filename}: error while converting ${format}: ${error.message}`, withHint(error))
  }
}
