/** The block graph of one command, and opening images in it as users name them. */

import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  createBlockGraph,
  type FlatOptions,
  type OpenOptions,
  parseKeyValue,
} from '@blocklayer/block-core'
import { type CacheMode, writeback } from './args/cache-mode.ts'
import type { CommandContext } from './context.ts'
import { Failure } from './failure.ts'
import { Interrupted } from './interruption.ts'

/** How an operand of the command line is to be opened. */
export interface ImageOperand {
  /** As typed. */
  readonly text: string
  /** The text is a list of options, not a file name. */
  readonly imageOpts: boolean
  readonly format?: string | undefined
}

/** What an image is opened for. */
export interface OpenMode extends Pick<OpenOptions, 'check' | 'noIo' | 'noBacking' | 'share' | 'unmap'> {
  readonly writable?: boolean
  readonly forceShare?: boolean
  readonly cache?: CacheMode
}

/**
 * Gives `use` a graph and closes it afterwards.
 *
 * @param options - `tellAfterClosing`: the order in which the reference's commit prints
 *
 * @throws what `use` throws; else `Error while closing the image` and perhaps why, since data may have been lost then
 */
export async function withGraph<T>(
  context: CommandContext,
  use: (graph: BlockGraph) => Promise<T>,
  options: { readonly tellAfterClosing?: boolean } = {},
): Promise<T> {
  context.reporter.started()
  let errorsTold = 0
  const graph = createBlockGraph({
    drivers: await context.drivers(),
    implicitOpen: () => (context.untrusted.deniesNames ? 'deny' : 'allow'),
    onDiagnostic: ({ kind, text }) => {
      if (kind === 'error') errorsTold++
      if (kind === 'warning') context.warn(text)
      else context.reporter.diagnostic(kind === 'error' ? 'error' : 'remark', text)
    },
  })
  const outcome = await settle(() => use(graph))
  // What fails while closing is mostly a consequence, so the cause comes first.
  if ('error' in outcome && options.tellAfterClosing !== true) context.reporter.tell(outcome.error)
  const toldBefore = errorsTold
  const closing = await settle(() => graph.close())
  const closingError = 'error' in closing ? prepend(closing.error, 'Error while closing the image: ') : undefined
  if ('error' in outcome) {
    // Of an interrupted command nothing has failed yet: this is a cause of its own.
    if (outcome.error instanceof Interrupted) context.reporter.tell(closingError)
    throw outcome.error
  }
  if (closingError !== undefined) throw closingError
  // What a driver could not write back it has told already; that it is lost must show in the exit status too.
  if (errorsTold > toldBefore) throw new Failure('Error while closing the image', { code: 'close-failed' })
  return outcome.value
}

async function settle<T>(run: () => Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error }
  }
}

/**
 * Opens an operand.
 *
 * @throws BlockError `Could not open '<operand>': …`; Failure for options that contradict each other
 */
export async function openImage(
  context: CommandContext,
  graph: BlockGraph,
  operand: ImageOperand,
  mode: OpenMode = {},
): Promise<BlockBackend> {
  const { writable = false, forceShare = false, cache = writeback, ...rest } = mode
  const { untrusted } = context
  if (untrusted.enabled && !writable) return await openJudged(context, graph, operand, mode)
  const image = operand.imageOpts ? parseImageOptions(context, operand.text, forceShare) : operand.text
  try {
    return await graph.open(image, {
      ...rest,
      ...(operand.format === undefined ? {} : { format: operand.format }),
      readOnly: !writable,
      forceShare,
      cache: coreCache(cache),
    })
  } catch (error) {
    throw prepend(error, `Could not open '${operand.text}': `)
  }
}

/** Opens an image that has been judged: as the format that it was judged as, and by a name that means a file only. */
async function openJudged(
  context: CommandContext,
  graph: BlockGraph,
  operand: ImageOperand,
  { writable, cache = writeback, ...mode }: OpenMode,
): Promise<BlockBackend> {
  const { requireAcceptable } = await import('./judge-operand.ts')
  const format = await requireAcceptable(context, operand)
  const image: FlatOptions = new Map([
    ['driver', format],
    ['file.driver', 'file'],
    ['file.filename', operand.text],
  ])
  try {
    return await graph.open(image, { ...mode, readOnly: true, cache: coreCache(cache) })
  } catch (error) {
    throw prepend(error, `Could not open '${operand.text}': `)
  }
}

/** A cache mode in the core's words. */
export function coreCache({ direct, noFlush, writethrough }: CacheMode): NonNullable<OpenOptions['cache']> {
  return { direct, noFlush, writeThrough: writethrough }
}

function parseImageOptions(context: CommandContext, text: string, forceShare: boolean): FlatOptions {
  const options = parseKeyValue(text, {
    impliedKey: 'file',
    // The second line of the warning has no prefix.
    onDeprecated: (message) => context.warn(message),
  })
  const given = options.get('force-share')
  if (forceShare && given !== undefined && given !== 'on') {
    throw new Failure('--force-share/-U conflicts with image options', { code: 'usage' })
  }
  return options
}

/** `error` with `prefix` before its message, if it is one that users are told. */
export function prepend(error: unknown, prefix: string): unknown {
  return error instanceof BlockError ? error.prepend(prefix) : error
}
