/** `map`: where each part of a disk comes from. */

import type { BlockGraph, JobOptions } from '@blocklayer/block-core'
import { type MapExtent, mapImage } from '@blocklayer/qemu-img'
import {
  drawnOutputForm,
  type OutputForm,
  type PictureForm,
  refuseFormatWithOptions,
  singleOperand,
} from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { interruptible, onlyRead } from '../interruption.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { showingProgress } from '../progress-signal.ts'
import { printPicture } from '../print/picture.ts'
import { humanMap, jsonMap } from '../print/map.ts'
import { mapTable } from '../tables/map.ts'
import type { Command } from './command.ts'

interface MapArguments {
  readonly operand: ImageOperand
  readonly form: OutputForm | PictureForm
  readonly forceShare: boolean
  /** Guest bytes. */
  readonly start: number
  readonly bytes: number
}

/** `map [-f FMT] [-s OFFSET] [-l LENGTH] [--output=human|json|svg|html] [-U] FILENAME` */
export const mapCommand: Command = async (context, argv) => {
  const { operand, form, forceShare, start, bytes } = parseArguments(context, argv)
  const work = async (graph: BlockGraph, job: JobOptions): Promise<void> => {
    const disk = await openImage(context, graph, operand, { forceShare })
    if (form === 'svg' || form === 'html') return await printPicture(context, disk, { form, ...job })
    const printer = form === 'human' ? humanMap : jsonMap(context.compat)
    context.out(printer.head())
    let isEmpty = true
    for await (const extent of mapImage(disk, { start, bytes, continues: printer.continues, ...job })) {
      isEmpty = false
      context.out(printer.extent(extent))
    }
    if (isEmpty) context.out(printer.extent(emptyExtent(start)))
    context.out(printer.tail())
  }
  const isDrawn = form === 'svg' || form === 'html'
  const watched = (graph: BlockGraph, signal: AbortSignal): Promise<void> =>
    showingProgress(
      context,
      { quiet: false, form: form === 'human' ? form : 'json', unit: isDrawn ? 'steps' : 'bytes' },
      (onProgress) => work(graph, { signal, onProgress }),
    )
  await interruptible((signal) => withGraph(context, (graph) => watched(graph, signal)), onlyRead, context.untrusted)
  return 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): MapArguments {
  const given: { format?: string; output?: string } = {}
  const flags = new Set<string>()
  let start = 0
  let bytes = Number.POSITIVE_INFINITY
  const operands = scanOptions(context, argv, mapTable, (id, argument) => {
    const size = (name: string): number => Number(parseSizeArgument(argument, { name }, context.warn))
    if (id === 'f') given.format = argument
    else if (id === 'output') given.output = argument
    else if (id === 's') start = size('start offset')
    else if (id === 'l') bytes = size('max length')
    else flags.add(id)
  })
  const text = singleOperand(operands)
  const form = drawnOutputForm(given.output, ['svg', 'html'])
  if ((form === 'svg' || form === 'html') && (start !== 0 || bytes !== Number.POSITIVE_INFINITY)) {
    throw new Failure('A picture shows the whole disk: --start-offset and --max-length cannot be used with it')
  }
  const imageOpts = flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.format)
  return { operand: { text, imageOpts, format: given.format }, form, forceShare: flags.has('U'), start, bytes }
}

/** A range without any extent is one of length 0. */
function emptyExtent(start: number): MapExtent {
  const nothing = { present: false, zero: false, data: false, compressed: false, hostOffset: undefined, filename: '' }
  return { start, bytes: 0, depth: 0, ...nothing }
}
