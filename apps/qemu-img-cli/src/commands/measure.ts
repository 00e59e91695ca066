/** `measure`: how large a new image would be. */

import {
  type AnyDriver,
  BlockError,
  type BlockGraph,
  checkOptionEntries,
  type FlatOptions,
  type JobOptions,
  type Measurement,
  measureImage,
  parseOptionList,
  scalarText,
  toQemuJson,
} from '@blocklayer/block-core'
import { showImageSnapshot } from '@blocklayer/qemu-img'
import { type OutputForm, outputForm, refuseFormatWithOptions } from '../args/common.ts'
import { appendOptionList } from '../args/option-list.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument } from '../args/size-arg.ts'
import { parseSnapshotArgument, type SnapshotChoice } from '../args/snapshot-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { interruptible, onlyRead } from '../interruption.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { showingProgress } from '../progress-signal.ts'
import { creationOptions } from '../print/option-help.ts'
import { measureTable } from '../tables/measure.ts'
import type { Command } from './command.ts'

interface MeasureArguments {
  /** A size without data, or an image. */
  readonly subject: bigint | ImageOperand
  readonly snapshot: SnapshotChoice | undefined
  readonly forceShare: boolean
  readonly target: string
  readonly options: string | undefined
  readonly form: OutputForm
}

/** `measure [--output=human|json] [-O FMT] [-o OPTIONS] [--size N | [-f FMT] [-l SNAPSHOT] [-U] FILENAME]` */
export const measureCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const { subject, snapshot, forceShare, form } = given
  const work = async (graph: BlockGraph, job: JobOptions): Promise<Measurement> => {
    if (typeof subject === 'bigint') return await measure(context, given, { size: subject })
    const source = await openImage(context, graph, subject, { forceShare })
    if (snapshot !== undefined) await showImageSnapshot(source, snapshot.wanted)
    return await measure(context, given, { source, ...job })
  }
  const watched = (graph: BlockGraph, signal: AbortSignal): Promise<Measurement> =>
    showingProgress(context, { quiet: false, form, unit: 'bytes' }, (onProgress) => work(graph, { signal, onProgress }))
  const measured = await interruptible(
    (signal) => withGraph(context, (graph) => watched(graph, signal)),
    onlyRead,
    context.untrusted,
  )
  context.out(form === 'human' ? humanText(measured) : `${toQemuJson(jsonMembers(measured), { pretty: true })}\n`)
  return 0
}

interface Scanned {
  readonly values: ReadonlyMap<string, string>
  readonly operands: readonly string[]
  readonly size: bigint | undefined
  readonly snapshot: SnapshotChoice | undefined
  readonly options: string | undefined
  readonly form: OutputForm
}

function scan(context: CommandContext, argv: readonly string[]): Scanned {
  const values = new Map<string, string>()
  let size: bigint | undefined
  let snapshot: SnapshotChoice | undefined
  let options: string | undefined
  let form: OutputForm = 'human'
  const operands = scanOptions(context, argv, measureTable, (id, argument) => {
    if (id === 'o') options = appendOptionList(options, argument)
    else if (id === 'l') snapshot = parseSnapshotArgument(argument, context.warn)
    else if (id === 'output') form = outputForm(argument)
    else if (id === 'size') size = parseSizeArgument(argument, { name: 'image size' }, context.warn)
    else values.set(id, argument)
  })
  return { values, operands, size, snapshot, options, form }
}

function parseArguments(context: CommandContext, argv: readonly string[]): MeasureArguments {
  const { values, operands, size, snapshot, options, form } = scan(context, argv)
  const [text] = operands
  const imageOpts = values.has('image-opts')
  const format = values.get('f')
  if (operands.length > 1) throw new Failure('At most one filename argument is allowed.')
  if (text === undefined && (imageOpts || format !== undefined || snapshot !== undefined)) {
    throw new Failure('--image-opts, -f, and -l require a filename argument.')
  }
  if (text === undefined && size === undefined) throw new Failure('Either --size N or one filename must be specified.')
  if (text !== undefined && size !== undefined) throw new Failure('--size N cannot be used together with a filename.')
  refuseFormatWithOptions(imageOpts, format)
  return {
    subject: size ?? { text: text ?? '', imageOpts, format },
    snapshot,
    forceShare: values.has('U'),
    target: values.get('O') ?? 'raw',
    options,
    form,
  }
}

async function measure(
  context: CommandContext,
  { target, options: text }: MeasureArguments,
  subject: Parameters<typeof measureImage>[2],
): Promise<Measurement> {
  const drivers = await context.drivers()
  const options: FlatOptions = text === undefined ? new Map() : parseOptionList(text)
  checkOptions(context, drivers, { target, options })
  return await measureImage(drivers, target, { ...subject, options })
}

/** Options that cannot be read at all get a second line. */
function checkOptions(
  context: CommandContext,
  drivers: readonly AnyDriver[],
  { target, options }: { readonly target: string; readonly options: FlatOptions },
): void {
  const schema = creationOptions(drivers, target)
  try {
    const entries = [...options].map(([name, value]) => [name, scalarText(value)] as const)
    checkOptionEntries(schema, entries, { onWarning: context.warn })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    context.reporter.tell(error)
    throw new Failure(`Invalid options for file format '${target}'`, { cause: error })
  }
}

function humanText({ required, fullyAllocated, bitmaps }: Measurement): string {
  const lines = [`required size: ${required}`, `fully allocated size: ${fullyAllocated}`]
  if (bitmaps !== undefined) lines.push(`bitmaps size: ${bitmaps}`)
  return lines.map((line) => `${line}\n`).join('')
}

function jsonMembers({ required, fullyAllocated, bitmaps }: Measurement): Record<string, bigint> {
  return { required, 'fully-allocated': fullyAllocated, ...(bitmaps === undefined ? {} : { bitmaps }) }
}
