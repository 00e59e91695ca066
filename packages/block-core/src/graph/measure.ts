/** How large a new image would be, without making it. */

import type { BlockBackend } from '../backend/block-backend.ts'
import type { JobOptions } from '../backend/job-options.ts'
import type { AnyDriver, Measurement, MeasureSource } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import { graphNode } from '../node/graph-node.ts'
import { flatOptions, type GivenOptions } from '../options/flat-options.ts'
import type { FlatOptions, OptionSpec } from '../options/schema.ts'
import { parseSizeOption } from '../options/size.ts'
import { checkOptionEntries, parseTypedOptions, scalarText } from '../options/typed.ts'

/**
 * What is to be measured: an image of a size without data, or with the data of another one. Aborting ends the looking
 * through the source; progress is in its bytes.
 */
export interface MeasureRequest extends JobOptions {
  /** Bytes; used where there is no source. */
  readonly size?: number | bigint | undefined
  readonly source?: BlockBackend | undefined
  /** The format's creation options, as `create` takes them. */
  readonly options?: GivenOptions | undefined
}

/**
 * Sizes that a new image of a format would take.
 *
 * @param drivers - the graph's
 * @throws BlockError `EINVAL` `Unknown file format 'x'`, `ENOTSUP` `Block driver 'x' does not support size measurement`,
 *   or the driver's message; `request.signal.reason`
 * @see spec/qemu-img.md, section 20
 * @example
 * const { required } = await measureImage(graph.drivers, 'qcow2', { size: 1024 ** 3 })
 */
export async function measureImage(
  drivers: readonly AnyDriver[],
  format: string,
  request: MeasureRequest,
): Promise<Measurement> {
  const driver = drivers.find(({ formatName }) => formatName === format)
  if (driver === undefined) throw new BlockError('EINVAL', `Unknown file format '${format}'`)
  if (driver.create === undefined) {
    throw new BlockError('EINVAL', `Format driver '${format}' does not support image creation`)
  }
  const { options: schema, measure } = driver.create
  const flat = flatOptions(request.options)
  const known = Object.fromEntries((Object.values(schema) as OptionSpec[]).map((row) => [row.name, row]))
  checkOptionEntries(
    known,
    [...flat].map(([name, value]) => [name, scalarText(value)] as const),
    {},
  )
  if (measure === undefined) {
    throw new BlockError('ENOTSUP', `Block driver '${format}' does not support size measurement`)
  }
  const { options } = parseTypedOptions(schema as never, flat, { purpose: 'create' })
  return measure(options as never, sourceOf(request, flat))
}

function sourceOf({ source, size, signal, onProgress }: MeasureRequest, options: FlatOptions): MeasureSource {
  if (source === undefined) return { size: parseSizeOption('size', scalarText(size ?? 0)), dataRanges: noRanges }
  const node = graphNode(source.root)
  const kept = [...node.dirtyBitmaps].filter(({ persistent }) => persistent)
  const bitmaps = kept.map(({ name, granularity }) => ({ name: name ?? '', granularity }))
  return {
    size: BigInt(source.length),
    // Nobody knows which part of it a backing file has already: all is taken for data.
    dataRanges: () => (options.has('backing_file') ? wholeOf(source) : dataOf(source, { signal, onProgress })),
    bitmaps: node.layer.bitmaps === undefined || node.layer.bitmaps.supported === false ? undefined : bitmaps,
  }
}

async function* noRanges(): AsyncGenerator<{ start: number; bytes: number }> {}

async function* wholeOf(source: BlockBackend): AsyncGenerator<{ start: number; bytes: number }> {
  yield { start: 0, bytes: source.length }
}

async function* dataOf(
  source: BlockBackend,
  { signal, onProgress }: JobOptions,
): AsyncGenerator<{ start: number; bytes: number }> {
  for await (const { start, bytes, data, zero } of source.map()) {
    signal?.throwIfAborted()
    if (data && !zero) yield { start, bytes }
    onProgress?.({ current: start + bytes, total: source.length })
  }
}
