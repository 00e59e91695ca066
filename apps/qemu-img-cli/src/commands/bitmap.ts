/** `bitmap`: changes one persistent dirty bitmap of an image. */

import type { BlockBackend, BlockGraph, JobProgress } from '@blocklayer/block-core'
import { changeImageBitmap, type ImageBitmapAction } from '@blocklayer/qemu-img'
import { refuseFormatWithOptions } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { interruptible } from '../interruption.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { printResult } from '../print/result.ts'
import { showingProgress } from '../progress-signal.ts'
import { bitmapTable } from '../tables/bitmap.ts'
import type { Command } from './command.ts'

const simpleActions = ['add', 'remove', 'clear', 'enable', 'disable'] as const

/** One action of the command line; all are about the same bitmap. */
type Action =
  | { readonly type: (typeof simpleActions)[number] }
  /** `source`: the bitmap that is added to it. */
  | { readonly type: 'merge'; readonly source: string }

interface BitmapArguments {
  readonly operand: ImageOperand
  readonly bitmap: string
  readonly actions: readonly Action[]
  /** Where merged bitmaps are; absent: in the image itself. */
  readonly source: ImageOperand | undefined
  /** Bytes per bit; absent: the format's choice. */
  readonly granularity: number | undefined
}

/** `bitmap (--add|--remove|--clear|--enable|--disable|--merge SRC)… [-b SRCFILE [-F SRCFMT]] [-g GRAN] … FILENAME BITMAP` */
export const bitmapCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  let done = 0
  const work = async (graph: BlockGraph, signal: AbortSignal): Promise<void> => {
    const disk = await openImage(context, graph, given.operand, { writable: true, noBacking: true })
    const from = given.source === undefined ? disk : await openImage(context, graph, given.source, { noBacking: true })
    const changes = given.actions.map((action) => complete(action, from, given))
    await showingProgress(context, { quiet: false, unit: 'steps' }, (tell) => {
      const onProgress = (progress: JobProgress): void => {
        done = progress.current
        tell(progress)
      }
      return changeImageBitmap(disk, given.bitmap, changes, { signal, onProgress })
    })
  }
  const { operand, bitmap, actions } = given
  const outcome = (): string => `'${operand.text}' is whole, with ${done} of ${actions.length} changes`
  const outcomes = { givenUp: outcome, done: outcome }
  await interruptible((signal) => withGraph(context, (graph) => work(graph, signal)), outcomes)
  printResult(context, 'bitmap', { filename: operand.text, bitmap, actions })
  return 0
}

interface Scanned {
  readonly values: ReadonlyMap<string, string>
  readonly actions: readonly Action[]
  readonly granularity: bigint | undefined
  readonly operands: readonly string[]
}

function scan(context: CommandContext, argv: readonly string[]): Scanned {
  const values = new Map<string, string>()
  const actions: Action[] = []
  let granularity: bigint | undefined
  const operands = scanOptions(context, argv, bitmapTable, (id, argument) => {
    const type = simpleActions.find((name) => name === id)
    if (type !== undefined) actions.push({ type })
    else if (id === 'merge') actions.push({ type: id, source: argument })
    else if (id === 'g') granularity = parseSizeArgument(argument, { name: 'granularity' }, context.warn)
    else values.set(id, argument)
  })
  return { values, actions, granularity, operands }
}

function parseArguments(context: CommandContext, argv: readonly string[]): BitmapArguments {
  const { values, actions, granularity, operands } = scan(context, argv)
  const does = (type: Action['type']): boolean => actions.some((action) => action.type === type)
  const [text, bitmap] = operands
  const source = values.get('b')
  if (actions.length === 0) {
    throw new Failure('Need at least one of --add, --remove, --clear, --enable, --disable, or --merge')
  }
  if (granularity !== undefined && granularity !== 0n && !does('add')) {
    throw new Failure('granularity only supported with --add')
  }
  if (values.has('F') && source === undefined) throw new Failure('-F only supported with -b')
  if (source !== undefined && !does('merge')) {
    throw new Failure('Merge bitmap source file only supported with --merge')
  }
  if (text === undefined || bitmap === undefined || operands.length > 2) {
    throw new Failure('Expecting filename and bitmap name')
  }
  const imageOpts = values.has('image-opts')
  refuseFormatWithOptions(imageOpts, values.get('f'))
  return {
    operand: { text, imageOpts, format: values.get('f') },
    bitmap,
    actions,
    // A file name, also where the image itself is given by options.
    source: source === undefined ? undefined : { text: source, imageOpts: false, format: values.get('F') },
    granularity: granularity === undefined || granularity === 0n ? undefined : Number(granularity),
  }
}

function complete(action: Action, from: BlockBackend, { granularity }: BitmapArguments): ImageBitmapAction {
  if (action.type === 'add') return { type: 'add', granularity }
  return action.type === 'merge' ? { ...action, from } : { type: action.type }
}
