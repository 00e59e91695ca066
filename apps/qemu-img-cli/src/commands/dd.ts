/** `dd`: copies a run of blocks into a new image, as data. */

import { interruptible } from '../interruption.ts'
import { NewTarget } from '../new-target.ts'
import { startOwnProgress } from '../progress-signal.ts'
import { printResult } from '../print/result.ts'
import type { BlockBackend, BlockGraph, JobProgress } from '@blocklayer/block-core'
import { ddImage } from '@blocklayer/qemu-img'
import { refuseFormatWithOptions } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument, type SizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { ddTable } from '../tables/dd.ts'
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

/** `dd [-f FMT] [-O FMT] [-U] [bs=N] [count=N] [skip=N] if=INPUT of=OUTPUT` */
export const ddCommand: Command = async (context, argv) => {
  const { input, output, outputFormat, forceShare, ...blocks } = parseArguments(context, argv)
  const target = new NewTarget({ target: output })
  const progress = startOwnProgress(context, { quiet: false })
  const onProgress = ({ current, total }: JobProgress): void => progress.report((100 * current) / total, current)
  const copy = async (graph: BlockGraph, signal: AbortSignal): Promise<number> => {
    const source = await openImage(context, graph, input, { forceShare })
    progress.report(0)
    const operand = { text: output, imageOpts: false, format: outputFormat }
    const open = (): Promise<BlockBackend> => {
      target.begin()
      return openImage(context, graph, operand, { writable: true })
    }
    const { isPastEnd, bytes } = await ddImage(
      graph,
      source,
      { filename: output, format: outputFormat, open },
      { ...blocks, signal, onProgress },
    )
    // The reference says so and ends with status 0 nevertheless.
    if (isPastEnd) throw new Failure(`${input.text}: cannot skip to specified offset`, { exitCode: 0 })
    return bytes
  }
  const outcomes = { givenUp: () => target.giveUp(), done: () => `'${output}' is complete` }
  const work = (signal: AbortSignal): Promise<number> => withGraph(context, (graph) => copy(graph, signal))
  const copied = await interruptible(work, outcomes).finally(() => progress.end())
  printResult(context, 'dd', { input: input.text, output, format: outputFormat, bytes: copied })
  return 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): DdArguments {
  const options = new Map<string, string>()
  const operands = scanOptions(context, argv, ddTable, (id, argument) => void options.set(id, argument))
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
