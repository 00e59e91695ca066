/** `convert - -`: from standard input to standard output, in one pass. */

import { type BlockGraph, type DiskStream, parseOptionList, parseTypedOptions } from '@blocklayer/block-core'
import { type Qcow2CreateOptions, qcow2DataBytesMax, qcow2Driver, writeQcow2Stream } from '@blocklayer/driver-qcow2'
import { diskStream, ForwardBytes, openDiskStream, writeRawStream } from '@blocklayer/qemu-img'
import { requireCacheMode } from '../../args/common.ts'
import type { CommandContext } from '../../context.ts'
import { Failure } from '../../failure.ts'
import { openImage, prepend, withGraph } from '../../graph.ts'
import { drainInput, inputChunks, inputFile, type OutputSink, outputSink } from '../../standard-streams.ts'
import { type ConvertArguments, type ConvertFlag, sourceSharing } from './options.ts'

/** The operand that stands for standard input or standard output. */
const standard = '-'

/** Whether the operands ask for a stream. */
export function isStream({ sources, target }: ConvertArguments): boolean {
  return target === standard || sources.includes(standard)
}

/**
 * Converts a stream.
 *
 * @throws Failure for options and operands that a stream cannot have; BlockError of the image or the stream
 */
export async function convertStream(context: CommandContext, given: ConvertArguments): Promise<void> {
  refuse(given)
  refusePresentation(context, given)
  const format = given.targetFormat ?? 'raw'
  const create = creationOptions(given)
  const convert = async (graph: BlockGraph): Promise<void> => {
    const disk = await openSource(context, graph, given, create.size)
    const sink = outputSink(given.sparseBytes > 0)
    await write(disk, sink, { format, create, compress: given.flags.has('c') })
    sink.end()
    if (given.sources.includes(standard)) drainInput()
  }
  await withSmallNursery(() => withGraph(context, convert))
}

/**
 * Each cluster that is compressed leaves a few objects that live a little longer than the others. V8 would answer with more
 * and more room for new objects, up to 48 MiB; at the size that it begins with it collects a little more often.
 */
async function withSmallNursery(run: () => Promise<void>): Promise<void> {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  setFlagsFromString('--semi-space-growth-factor=1')
  try {
    await run()
  } finally {
    // V8's default. Compiled code that is kept under other flags is useless to the next run.
    setFlagsFromString('--semi-space-growth-factor=2')
  }
}

const refusedFlags: readonly ConvertFlag[] = [
  'C',
  'p',
  'n',
  'image-opts',
  'target-image-opts',
  'salvage',
  'target-is-zero',
  'bitmaps',
]

function refuse(given: ConvertArguments): void {
  const { sources, target, flags, targetFormat = 'raw' } = given
  if (sources.length > 1) throw new Failure('A stream cannot be one of several sources')
  if (target !== standard) {
    throw new Failure(`Standard input can only be converted to standard output: use '- - > ${target}'`)
  }
  const valued: readonly (readonly [string, unknown])[] = [
    ['-B', given.backingFile],
    ['-F', given.backingFormat],
    ['-l', given.snapshot],
    ['-r', given.rate === 0 ? undefined : given.rate],
    ['-S 0', given.sparseBytes === 0 && targetFormat !== 'raw' ? 0 : undefined],
  ]
  const flag = refusedFlags.find((name) => flags.has(name))
  const named = flag === undefined ? undefined : `${flag.length > 1 ? '--' : '-'}${flag}`
  const option = named ?? valued.find(([, value]) => value !== undefined)?.[0]
  if (option !== undefined) throw new Failure(`Option '${option}' cannot be used with a stream`)
  if (targetFormat !== 'raw' && targetFormat !== 'qcow2') {
    throw new Failure(`Format '${targetFormat}' cannot be written as a stream`)
  }
  if (flags.has('c') && targetFormat === 'raw') throw new Failure('Compression not supported for this file format')
}

/** A stream cannot be judged before it has passed, and nothing else may be printed where it goes. */
function refusePresentation({ presentation, untrusted }: CommandContext, { sources }: ConvertArguments): void {
  const { output, progress = 'none' } = presentation
  const refused: readonly (readonly [string, boolean])[] = [
    ['--untrusted', untrusted.enabled && sources.includes(standard)],
    [`--output ${output}`, output !== 'human'],
    [`--progress ${progress}`, progress !== 'none'],
  ]
  const option = refused.find(([, isGiven]) => isGiven)?.[0]
  if (option !== undefined) throw new Failure(`Option '${option}' cannot be used with a stream`)
}

/** `size` is how long a raw stream will be; the rest is for the new image. */
function creationOptions({ options, targetFormat }: ConvertArguments): Qcow2CreateOptions {
  const flat = options === undefined ? new Map() : parseOptionList(options)
  const schema = qcow2Driver.create?.options
  if (schema === undefined) return {}
  const { options: typed } = parseTypedOptions(schema, flat, { purpose: 'create' })
  const other = Object.keys(typed).filter(
    (name) => name !== 'size' && flat.has(schema[name as keyof typeof schema].name),
  )
  if (targetFormat !== 'qcow2' && other[0] !== undefined) {
    throw new Failure(`Option '-o ${other[0]}' cannot be used with a raw stream`)
  }
  return typed
}

async function openSource(
  context: CommandContext,
  graph: BlockGraph,
  given: ConvertArguments,
  size: number | bigint | undefined,
): Promise<DiskStream> {
  const { sources, sourceFormat } = given
  const [name = standard] = sources
  const file = name === standard ? inputFile() : name
  if (file !== undefined) {
    const opening = { cache: requireCacheMode(given.sourceCache, 'source '), ...sourceSharing(given) }
    return diskStream(await openImage(context, graph, { text: file, imageOpts: false, format: sourceFormat }, opening))
  }
  try {
    const length = size === undefined ? undefined : Number(size)
    const dataBounds = { qcow2: qcow2DataBytesMax }
    return await openDiskStream(new ForwardBytes(inputChunks()), { graph, format: sourceFormat, length, dataBounds })
  } catch (error) {
    throw prepend(error, `Could not open '${standard}': `)
  }
}

interface Target {
  readonly format: string
  readonly create: Qcow2CreateOptions
  readonly compress: boolean
}

async function write(disk: DiskStream, sink: OutputSink, { format, create, compress }: Target): Promise<void> {
  if (format === 'raw') await writeRawStream(disk, sink)
  else await writeQcow2Stream(disk, sink, { create, compress })
}
