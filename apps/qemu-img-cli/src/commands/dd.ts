/** `dd`: copies a run of blocks into a new image, as data. */

import { type BlockBackend, BlockError, type BlockGraph, type ImageCreation } from '@blocklayer/block-core'
import { refuseFormatWithOptions } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument, type SizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure, withHint } from '../failure.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import type { Command } from './command.ts'

interface DdArguments {
  readonly input: ImageOperand
  readonly output: string
  readonly outputFormat: string
  readonly forceShare: boolean
  /** Bytes. */
  readonly blockBytes: bigint
  /** Blocks from the start of the input, skipped ones included; absent: all. */
  readonly count: bigint | undefined
  /** Blocks. */
  readonly skip: bigint
}

const numbers: Readonly<Record<string, SizeArgument>> = {
  bs: { name: 'bs', min: 1n, max: 2n ** 31n - 1n },
  count: { name: 'count' },
  skip: { name: 'skip' },
}

/** Bytes copied at once. */
const chunkMax = 2 ** 20

/** `dd [-f FMT] [-O FMT] [-U] [bs=N] [count=N] [skip=N] if=INPUT of=OUTPUT` */
export const ddCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  await withGraph(context, async (graph) => {
    const source = await openImage(context, graph, given.input, { forceShare: given.forceShare })
    const { start, end } = copiedRange(given, source.length)
    const target = await makeTarget(context, graph, given, Math.max(0, end - start))
    if (start > end) {
      // The reference says so and ends with status 0 nevertheless.
      throw new Failure(`${given.input.text}: cannot skip to specified offset`, { exitCode: 0 })
    }
    await copy(source, target, start, end)
  })
  return 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): DdArguments {
  const options = new Map<string, string>()
  const long = ['image-opts', 'force-share=U']
  const operands = scanOptions(
    context,
    argv,
    { short: 'hf:O:U', long },
    (id, argument) => void options.set(id, argument),
  )
  const { files, sizes } = parseOperands(context, operands)
  const [input, output] = [files.get('if'), files.get('of')]
  const imageOpts = options.has('image-opts')
  if (input === undefined || output === undefined) throw new Failure('Must specify both input and output files')
  refuseFormatWithOptions(imageOpts, options.get('f'))
  return {
    input: { text: input, imageOpts, format: options.get('f') },
    output,
    outputFormat: options.get('O') ?? 'raw',
    forceShare: options.has('U'),
    blockBytes: sizes.get('bs') ?? 512n,
    count: sizes.get('count'),
    skip: sizes.get('skip') ?? 0n,
  }
}

/** Operands are `name=value`; of several with one name the last counts, but all are judged. */
function parseOperands(
  context: CommandContext,
  operands: readonly string[],
): { readonly files: ReadonlyMap<string, string>; readonly sizes: ReadonlyMap<string, bigint> } {
  const files = new Map<string, string>()
  const sizes = new Map<string, bigint>()
  for (const operand of operands) {
    const cut = operand.indexOf('=')
    const name = cut < 0 ? operand : operand.slice(0, cut)
    const value = operand.slice(cut + 1)
    const size = Object.hasOwn(numbers, name) ? numbers[name] : undefined
    if (cut >= 0 && size !== undefined) sizes.set(name, parseSizeArgument(value, size, context.warn))
    else if (cut >= 0 && (name === 'if' || name === 'of')) files.set(name, value)
    else throw new Failure(`unrecognized operand ${name}`)
  }
  return { files, sizes }
}

/** Bytes of the input; `start` lies behind `end` where all is skipped, and more. */
function copiedRange(
  { blockBytes, count, skip }: DdArguments,
  length: number,
): { readonly start: number; readonly end: number } {
  const whole = BigInt(length)
  const end = count === undefined || count * blockBytes > whole ? whole : count * blockBytes
  return { start: Number(skip * blockBytes), end: Number(end) }
}

async function makeTarget(
  context: CommandContext,
  graph: BlockGraph,
  { output, outputFormat }: DdArguments,
  size: number,
): Promise<BlockBackend> {
  // This one command does not name the format.
  if (!graph.drivers.some(({ formatName }) => formatName === outputFormat)) throw new Failure('Unknown file format')
  const creation = await graph.prepareCreate(outputFormat, output, { size })
  await create(creation)
  return await openImage(context, graph, { text: output, imageOpts: false, format: outputFormat }, { writable: true })
}

async function create(creation: ImageCreation): Promise<void> {
  try {
    await creation.run()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const message = `${creation.filename}: error while creating output image: ${error.message}`
    throw new Failure(message, withHint(error))
  }
}

/** Everything is data, zeroes too. */
async function copy(source: BlockBackend, target: BlockBackend, start: number, end: number): Promise<void> {
  const buffer = new Uint8Array(Math.min(chunkMax, end - start))
  for (let offset = start; offset < end; offset += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, end - offset))
    await told('error while reading from input image file', () => source.read(offset, part))
    await told('error while writing to output image file', () => target.write(offset - start, part))
  }
}

async function told(what: string, request: () => Promise<void>): Promise<void> {
  try {
    await request()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new Failure(`${what}: ${error.errnoText}`, { cause: error })
  }
}
