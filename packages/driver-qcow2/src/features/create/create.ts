/** Making a new image: judge the options, lay the image out, write it. */

import {
  BlockError,
  type Child,
  type CreateContext,
  type CreateSupport,
  type JobOptions,
  type JobProgress,
} from '@blocklayer/block-core/driver'
import { encodeText } from '../../format/bytes.ts'
import { limits } from '../../format/constants.ts'
import { l1EntriesFor, makeGeometry } from '../../format/geometry.ts'
import { encodeFirstCluster, type HeaderExtensions, noExtensions } from '../../format/header-extension.ts'
import { type ImageLayout, layoutImage, type Piece } from './layout.ts'
import { measureQcow2 } from './measure.ts'
import { type CreateSettings, judgeCreateOptions, type Qcow2CreateOptions, qcow2CreateSchema } from './options.ts'

/** How qcow2 images come into being. */
export const qcow2Create: CreateSupport<Qcow2CreateOptions> = {
  options: qcow2CreateSchema,
  run: createImage,
  measure: measureQcow2,
}

/**
 * Creates an image in the empty file that `context` gives.
 *
 * @throws BlockError with the reference's message, or of the file
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_create
 */
async function createImage(context: CreateContext, options: Qcow2CreateOptions): Promise<void> {
  const settings = judgeCreateOptions(options, context)
  const size = judgeSize(settings, context.size)
  const layout = layoutImage(settings, size)
  // Judged before anything is made; the name of the data file may turn out to be another spelling.
  const { dataFile: named } = options
  encodeFirst(layout, context, named === undefined ? undefined : encodeText(named))
  const file = await context.file()
  const dataFile = named === undefined ? undefined : await makeDataFile(context, settings, named)
  const firstCluster = encodeFirst(layout, context, dataFile)
  await writeTables(file, layout, context)
  // The header last: a creation that was cut short leaves a file that nobody takes for an image.
  await file.flush()
  await during('Could not write qcow2 header', () => file.write(0, firstCluster))
  await file.flush()
}

/**
 * Makes the file for the guest's data, which then has the disk's size and nothing in it.
 *
 * @returns the name to be recorded: the user's, without the prefix of a protocol for plain files
 */
async function makeDataFile(context: CreateContext, settings: CreateSettings, filename: string): Promise<Uint8Array> {
  const data = await context.otherFile(filename)
  const { preallocation } = settings
  const mode = preallocation === 'metadata' ? 'off' : preallocation
  const { signal, onProgress } = context
  await data.truncate(Number(context.size), { preallocation: mode, signal, onProgress })
  await data.flush()
  return encodeText(data.node.filename)
}

const offsetMax = 9_223_372_035_781_033_984n

/** The virtual size as a number: exact, since it is a multiple of 512 below 2^62. */
function judgeSize(settings: CreateSettings, size: bigint): number {
  const sizeName = 'Could not resize image:'
  if (size >= 2n ** 63n) throw new BlockError('EINVAL', `${sizeName} Image size cannot be negative`)
  if (size > offsetMax) {
    throw new BlockError('EINVAL', `${sizeName} offset(${size}) exceeds maximum(${offsetMax})`)
  }
  const geometry = makeGeometry(settings)
  if (l1EntriesFor(geometry, Number(size)) > limits.l1Entries) {
    const hint = '(try using a larger cluster size)'
    throw new BlockError('EFBIG', `The image size is too large for file format 'qcow2' ${hint}`)
  }
  return Number(size)
}

function encodeFirst(layout: ImageLayout, context: CreateContext, dataFile: Uint8Array | undefined): Uint8Array {
  const { backing } = context
  const extensions = { ...noExtensions, dataFile }
  const first = encodeWithNames(layout, extensions)
  if (backing === undefined) return first
  const backingFile = encodeText(backing.filename)
  const backingFormat = backing.format === undefined ? undefined : encodeText(backing.format)
  const named = `Could not assign backing file '${backing.filename}' with format '${backing.format ?? ''}'`
  const isTooLong = backingFile.length > limits.backingNameBytes
  if (isTooLong || (backingFormat?.length ?? 0) > limits.backingFormatBytes) {
    throw BlockError.withErrno('EINVAL', named)
  }
  try {
    return encodeFirstCluster(layout.header, { ...extensions, backingFile, backingFormat })
  } catch (error) {
    if (error instanceof BlockError) throw error.prepend(`${named}: `)
    throw error
  }
}

function encodeWithNames(layout: ImageLayout, extensions: HeaderExtensions): Uint8Array {
  try {
    return encodeFirstCluster(layout.header, extensions)
  } catch (error) {
    if (error instanceof BlockError) throw error.prepend('Could not update qcow2 header: ')
    throw error
  }
}

const resizing = 'Could not resize image'

/** What the reference says where a table cannot be written: it makes an empty image first, and then lengthens its disk. */
const failures: Readonly<Record<Piece['table'], string>> = {
  refcounts: 'Could not write refcount table',
  l1: `${resizing}: Failed to grow the L1 table`,
  l2: `${resizing}: Allocating clusters failed`,
}

/** Runs `step`, and puts `words` before its error. */
async function during<T>(words: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(`${words}: `) : error
  }
}

/** Writes all tables; the room for preallocated data is made in between, so that only it is materialised. */
async function writeTables(file: Child, layout: ImageLayout, { signal, onProgress }: JobOptions): Promise<void> {
  const area = layout.dataArea
  const spaceBytes = area === undefined || area.preallocation === 'off' ? 0 : area.end - area.start
  const total = spaceBytes + layout.tableBytes
  let done = 0
  const write = async ({ table, offset, bytes }: Piece): Promise<void> => {
    signal?.throwIfAborted()
    await during(failures[table], () => file.write(offset, bytes))
    done += bytes.length
    onProgress?.({ current: done, total })
  }
  for (const piece of layout.tables()) if (area === undefined || piece.offset < area.start) await write(piece)
  if (area === undefined) return
  if (area.end > file.length) {
    const before = done
    const tell = ({ current }: JobProgress): void =>
      onProgress?.({ current: before + Math.min(current, spaceBytes), total })
    const options = { preallocation: area.preallocation, signal, onProgress: tell }
    await during(`${resizing}: Failed to resize underlying file`, () => file.truncate(area.end, options))
    done += spaceBytes
    if (spaceBytes > 0) onProgress?.({ current: done, total })
  }
  for (const piece of layout.tables()) if (piece.offset >= area.start) await write(piece)
}
