/** `amend`: changes what an image was created with. */

import { interruptible } from '../interruption.ts'
import { printResult } from '../print/result.ts'
import {
  amendImage,
  type BlockGraph,
  checkAmendOptions,
  hasHelpOption,
  type JsonValue,
  parseOptionList,
  scalarText,
} from '@blocklayer/block-core'
import { type CacheMode, writeback } from '../args/cache-mode.ts'
import { refuseFormatWithOptions, requireCacheMode } from '../args/common.ts'
import { appendOptionList } from '../args/option-list.ts'
import { scanOptions } from '../args/scan.ts'
import type { CommandContext } from '../context.ts'
import { Failure, usageFailure } from '../failure.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { amendmentHelp, amendmentOptions } from '../print/option-help.ts'
import type { Progress } from '../print/progress.ts'
import { startProgress } from '../progress-signal.ts'
import { amendTable } from '../tables/amend.ts'
import type { Command } from './command.ts'

interface AmendArguments {
  readonly operand: ImageOperand
  readonly options: string
  readonly cache: CacheMode
  /** Allow changes that may destroy something. */
  readonly force: boolean
}

/** `amend [--image-opts] [-p] [-q] [-f FMT] [-t CACHE] [--force] -o OPTIONS FILENAME` */
export const amendCommand: Command = async (context, argv) => {
  const scanned = scan(context, argv)
  const progress = startProgress(context, { ...scanned.progress, minSkip: 1 })
  try {
    if (scanned.format !== undefined && hasHelpOption(scanned.options)) {
      context.out(amendmentHelp(await context.drivers(), scanned.format))
      return 0
    }
    const given = settle(scanned)
    const result = await interruptible(
      (signal) => withGraph(context, (graph) => amend(context, graph, given, { progress, signal })),
      {
        givenUp: () => `'${given.operand.text}' is whole, with none or some of the changes`,
        done: () => `'${given.operand.text}' is whole, with all of the changes`,
      },
    )
    if (result !== undefined && !scanned.progress.quiet) printResult(context, 'amend', result)
    return 0
  } finally {
    progress.end()
  }
}

interface Scanned {
  readonly values: ReadonlyMap<string, string>
  readonly operands: readonly string[]
  readonly options: string
  readonly format: string | undefined
  readonly progress: { readonly enabled: boolean; readonly quiet: boolean }
}

function scan(context: CommandContext, argv: readonly string[]): Scanned {
  const values = new Map<string, string>()
  let options: string | undefined
  const operands = scanOptions(context, argv, amendTable, (id, argument) => {
    if (id === 'o') options = appendOptionList(options, argument)
    else values.set(id, argument)
  })
  if (options === undefined) throw usageFailure('Must specify options (-o)')
  return {
    values,
    operands,
    options,
    format: values.get('f'),
    progress: { enabled: values.has('p'), quiet: values.has('q') },
  }
}

function settle({ values, operands, options, format }: Scanned): AmendArguments {
  const [text] = operands
  // Unlike for other commands no hint follows.
  if (text === undefined || operands.length > 1) throw new Failure('Expecting one image file name')
  const cache = values.get('t')
  const mode = cache === undefined ? writeback : requireCacheMode(cache, '')
  const imageOpts = values.has('image-opts')
  refuseFormatWithOptions(imageOpts, format)
  return { operand: { text, imageOpts, format }, options, cache: mode, force: values.has('force') }
}

async function amend(
  context: CommandContext,
  graph: BlockGraph,
  { operand, options, cache, force }: AmendArguments,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<{ readonly [key: string]: JsonValue } | undefined> {
  const disk = await openImage(context, graph, operand, { writable: true, cache })
  const { driverName } = disk.root
  if (hasHelpOption(options)) {
    context.out(amendmentHelp(graph.drivers, driverName))
    return undefined
  }
  amendmentOptions(graph.drivers, driverName)
  const wanted = parseOptionList(options)
  checkAmendOptions(disk, wanted, context.warn)
  progress.report(0)
  try {
    await amendImage(disk, wanted, {
      force,
      signal,
      onProgress: ({ current, total }) => progress.report((100 * current) / total),
    })
  } finally {
    // As the reference: a change that failed is over too.
    progress.report(100)
  }
  const members = [...wanted].map(([name, value]) => [name, scalarText(value)] as const)
  return { filename: operand.text, format: driverName, options: Object.fromEntries(members) }
}
