/** `resize`: makes an image's disk longer or shorter. */

import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type JobOptions,
  type Preallocation,
  parseSizeOption,
} from '@blocklayer/block-core'
import { type NewSize, resizeImage } from '@blocklayer/qemu-img'
import { refuseFormatWithOptions } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { CommandContext } from '../context.ts'
import { Failure, usageFailure } from '../failure.ts'
import { interruptible } from '../interruption.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { printResult, say } from '../print/result.ts'
import { showingProgress } from '../progress-signal.ts'
import { resizeTable } from '../tables/resize.ts'
import type { Command } from './command.ts'

const preallocations = ['off', 'metadata', 'falloc', 'full'] as const

interface ResizeArguments {
  readonly operand: ImageOperand
  readonly size: NewSize
  readonly preallocation: Preallocation
  readonly shrink: boolean
  readonly quiet: boolean
}

/** `resize [-f FMT] [--preallocation=MODE] [-q] [--shrink] FILENAME [+|-]SIZE` */
export const resizeCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const work = async (graph: BlockGraph, signal: AbortSignal): Promise<Record<string, number>> => {
    const disk = await openImage(context, graph, given.operand, { writable: true })
    const before = disk.length
    const after = await showingProgress(context, { quiet: given.quiet, unit: 'bytes' }, (onProgress) =>
      resize(context, disk, { ...given, signal, onProgress }),
    )
    if (!given.quiet) say(context, 'Image resized.\n')
    return { 'old-virtual-size': before, 'virtual-size': after }
  }
  const lengths = await interruptible((signal) => withGraph(context, (graph) => work(graph, signal)), {
    givenUp: () => `'${given.operand.text}' has its old size`,
    done: () => `'${given.operand.text}' has its new size`,
  })
  if (!given.quiet) printResult(context, 'resize', { filename: given.operand.text, ...lengths })
  return 0
}

/** The size is the last word whatever it looks like, so that `-1M` is no option. */
function parseArguments(context: CommandContext, argv: readonly string[]): ResizeArguments {
  const sizeText = argv.at(-1)
  if (sizeText === undefined || argv.length < 3) throw usageFailure('Not enough arguments')
  const given = new Map<string, string>()
  let preallocation: Preallocation = 'off'
  const operands = scanOptions(context, argv.slice(0, -1), resizeTable, (id, argument) => {
    if (id === 'preallocation') preallocation = parsePreallocation(argument)
    else given.set(id, argument)
  })
  const [text] = operands
  if (text === undefined || operands.length > 1) throw usageFailure('Expecting image file name and size')
  const size = parseNewSize(sizeText, context.warn)
  const imageOpts = given.has('image-opts')
  const format = given.get('f')
  refuseFormatWithOptions(imageOpts, format)
  return {
    operand: { text, imageOpts, format },
    size,
    preallocation,
    shrink: given.has('shrink'),
    quiet: given.has('q'),
  }
}

function parsePreallocation(text: string): Preallocation {
  const mode = preallocations.find((name) => name === text)
  if (mode === undefined) throw new Failure(`Invalid preallocation mode '${text}'`)
  return mode
}

function parseNewSize(text: string, warn: (message: string) => void): NewSize {
  const first = text.charAt(0)
  const sign = first === '+' || first === '-' ? first : ''
  // As the reference keeps it: 8 EiB and more are negative.
  const bytes = BigInt.asIntN(64, parseSizeOption('size', text.slice(sign.length), warn))
  if (sign === '') return { to: bytes }
  return { by: sign === '-' ? -bytes : bytes }
}

async function resize(
  context: CommandContext,
  disk: BlockBackend,
  { size, preallocation, shrink, signal, onProgress }: ResizeArguments & JobOptions,
): Promise<number> {
  try {
    return await resizeImage(disk, size, { preallocation, shrink, signal, onProgress })
  } catch (error) {
    const isRefused = error instanceof BlockError && error.details?.reason === 'shrink'
    throw isRefused ? shrinkingRefused(context, error) : error
  }
}

/** What must be known before it is done comes as a warning under the error. */
function shrinkingRefused(context: CommandContext, cause: BlockError): Failure {
  const warning =
    "Shrinking an image will delete all data beyond the shrunken image's end. " +
    'Before performing such an operation, make sure there is no important data there.'
  return new Failure(cause.message, { cause, hint: `${context.programName}: warning: ${warning}\n` })
}
