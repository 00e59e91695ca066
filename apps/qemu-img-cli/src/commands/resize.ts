/** `resize`: makes an image's disk longer or shorter. */

import { printResult, say } from '../print/result.ts'
import { parseSizeOption } from '@blocklayer/block-core'
import { refuseFormatWithOptions } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { CommandContext } from '../context.ts'
import { Failure, usageFailure } from '../failure.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { resizeTable } from '../tables/resize.ts'
import type { Command } from './command.ts'

const preallocations = ['off', 'metadata', 'falloc', 'full'] as const

/** How the new part is filled. */
type Preallocation = (typeof preallocations)[number]

/** A size as the user wrote it: bytes of its own, or so many more or fewer than there are. */
interface WantedSize {
  readonly sign: '' | '+' | '-'
  /** As the reference keeps it: 8 EiB and more are negative. */
  readonly bytes: bigint
}

interface ResizeArguments {
  readonly operand: ImageOperand
  readonly size: WantedSize
  readonly preallocation: Preallocation
  readonly shrink: boolean
  readonly quiet: boolean
}

/** `resize [-f FMT] [--preallocation=MODE] [-q] [--shrink] FILENAME [+|-]SIZE` */
export const resizeCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const lengths = await withGraph(context, async (graph) => {
    const disk = await openImage(context, graph, given.operand, { writable: true })
    const before = disk.length
    const length = newLength(given.size, disk.length)
    if (length <= disk.length && given.preallocation !== 'off') {
      throw new Failure('Preallocation can only be used for growing images')
    }
    if (length < disk.length && !given.shrink) throw shrinkingRefused(context)
    await disk.truncate(length, { preallocation: given.preallocation })
    if (!given.quiet) say(context, 'Image resized.\n')
    return { 'old-virtual-size': before, 'virtual-size': disk.length }
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
  const size = parseWantedSize(sizeText, context.warn)
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

function parseWantedSize(text: string, warn: (message: string) => void): WantedSize {
  const first = text.charAt(0)
  const sign = first === '+' || first === '-' ? first : ''
  const bytes = parseSizeOption('size', text.slice(sign.length), warn)
  return { sign, bytes: BigInt.asIntN(64, bytes) }
}

/** Bytes; sums that the reference's 64 bits cannot hold come out negative there, and are refused alike. */
function newLength({ sign, bytes }: WantedSize, present: number): number {
  const base = sign === '' ? 0n : BigInt(present)
  const length = BigInt.asIntN(64, sign === '-' ? base - bytes : base + bytes)
  if (length <= 0n) throw new Failure('New image size must be positive')
  return Number(length)
}

/** What must be known before it is done comes as a warning under the error. */
function shrinkingRefused(context: CommandContext): Failure {
  const warning =
    "Shrinking an image will delete all data beyond the shrunken image's end. " +
    'Before performing such an operation, make sure there is no important data there.'
  return new Failure('Use the --shrink option to perform a shrink operation.', {
    hint: `${context.programName}: warning: ${warning}\n`,
  })
}
