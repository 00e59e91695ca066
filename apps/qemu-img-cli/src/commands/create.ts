/** `create`: makes a new image. */

import { requireBackingFormat } from '../backing-format.ts'
import { interruptible } from '../interruption.ts'
import { dataFiles, NewTarget } from '../new-target.ts'
import { printResult, say } from '../print/result.ts'
import { showingProgress } from '../progress-signal.ts'
import {
  BlockError,
  type BlockGraph,
  type CreateOptions,
  hasHelpOption,
  type ImageCreation,
  type JobOptions,
  type JsonValue,
  parseOptionList,
} from '@blocklayer/block-core'
import { appendOptionList } from '../args/option-list.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure, usageFailure } from '../failure.ts'
import { withGraph } from '../graph.ts'
import { creationHelp } from '../print/option-help.ts'
import { createTable } from '../tables/create.ts'
import type { Command } from './command.ts'

interface CreateArguments {
  readonly format: string
  readonly options: string | undefined
  readonly backingFile: string | undefined
  readonly backingFormat: string | undefined
  readonly unsafe: boolean
  readonly quiet: boolean
  readonly operands: readonly string[]
}

/** `create [-q] [-f FMT] [-b BACKING [-F BFMT]] [-u] [-o OPTIONS] FILENAME [SIZE]` */
export const createCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const [filename, sizeText] = given.operands
  if (given.options !== undefined && hasHelpOption(given.options)) {
    context.out(creationHelp(await context.drivers(), given.format, filename))
    return 0
  }
  if (filename === undefined) throw usageFailure('Expecting image file name')
  const size = sizeText === undefined ? undefined : parseSizeArgument(sizeText, { name: 'image size' }, context.warn)
  const [, , unexpected] = given.operands
  if (unexpected !== undefined) throw usageFailure(`Unexpected argument: ${unexpected}`)
  const target = new NewTarget({ target: filename, others: dataFiles(given.options) })
  const create = async (graph: BlockGraph, signal: AbortSignal): Promise<ImageCreation> => {
    try {
      const creation = await prepare(graph, filename, given, size)
      if (!given.quiet) say(context, formattingLine(creation))
      // Before whatever goes wrong from now on, also where both outputs are joined.
      context.flush?.()
      const run = (onProgress: JobOptions['onProgress']): Promise<void> => creation.run({ signal, onProgress })
      await showingProgress(context, { quiet: given.quiet, unit: 'bytes' }, run).catch((error: unknown) => {
        throw withSizeHint(creation, error)
      })
      return creation
    } catch (error) {
      throw creationFailure(filename, error)
    }
  }
  const created = await interruptible((signal) => withGraph(context, (graph) => create(graph, signal)), {
    givenUp: () => target.giveUp(),
    done: () => `'${filename}' is complete`,
  })
  if (!given.quiet) printResult(context, 'create', resultMembers(created))
  return 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): CreateArguments {
  const given = new Map<string, string>()
  let options: string | undefined
  const operands = scanOptions(context, argv, createTable, (id, argument) => {
    if (id === 'o') options = appendOptionList(options, argument)
    else given.set(id, argument)
  })
  return {
    format: given.get('f') ?? 'raw',
    options,
    backingFile: given.get('b'),
    backingFormat: given.get('F'),
    unsafe: given.has('u'),
    quiet: given.has('q'),
    operands,
  }
}

async function prepare(
  graph: BlockGraph,
  filename: string,
  given: CreateArguments,
  size: bigint | undefined,
): Promise<ImageCreation> {
  const { format, backingFile, backingFormat } = given
  const options = given.options === undefined ? new Map() : parseOptionList(given.options)
  const request: CreateOptions = { size, options, unsafeBacking: given.unsafe }
  if (backingFile !== undefined) {
    const backing = { filename: backingFile, format: backingFormat }
    return await graph.prepareCreate(format, filename, { ...request, backing })
  }
  if (backingFormat === undefined) return await graph.prepareCreate(format, filename, request)
  try {
    requireBackingFormat(graph, format)
  } catch (error) {
    // What else may be wrong is said first.
    await graph.prepareCreate(format, filename, { ...request, size: size ?? 0 })
    throw error
  }
  return await graph.prepareCreate(format, filename, { ...request, options: options.set('backing_fmt', backingFormat) })
}

function resultMembers({ filename, format, options }: ImageCreation): Record<string, JsonValue> {
  const texts = Object.fromEntries(options.map(({ name, value }) => [name, value]))
  return { filename, format, 'virtual-size': BigInt(texts.size ?? 0), options: texts }
}

/** Commas in values are doubled, as in the list that would give the same options. */
function formattingLine({ filename, format, options }: ImageCreation): string {
  const pairs = options.map(({ name, value }) => ` ${name}=${value.replaceAll(',', ',,')}`)
  return `Formatting '${filename}', fmt=${format}${pairs.join('')}\n`
}

/** Whatever finds that it is too large for it: what the image's user can do about it says more. */
function withSizeHint({ format, options }: ImageCreation, error: unknown): unknown {
  if (!(error instanceof BlockError && error.code === 'EFBIG')) return error
  const hint = options.some(({ name }) => name === 'cluster_size') ? ' (try using a larger cluster size)' : ''
  const message = `The image size is too large for file format '${format}'${hint}`
  return new BlockError('EFBIG', message, { cause: error })
}

/** `error` as a failure that names the image; anything that is not for users stays as it is. */
function creationFailure(filename: string, error: unknown): unknown {
  if (!(error instanceof BlockError)) return error
  const { hint } = error
  // The reference ends every hint with a line feed but this one.
  const ending = hint?.startsWith('Detected format of ') ? '' : '\n'
  return new Failure(`${filename}: ${error.message}`, {
    hint: hint === undefined ? undefined : `${hint}${ending}`,
    cause: error,
    code: 'create-failed',
  })
}
