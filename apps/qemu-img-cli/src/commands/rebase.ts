/** `rebase`: gives an overlay another backing file. */

import { interruptible } from '../interruption.ts'
import { printResult } from '../print/result.ts'
import { BlockError, type BlockGraph, rebaseImage } from '@blocklayer/block-core'
import type { CacheMode } from '../args/cache-mode.ts'
import { refuseFormatWithOptions, requireCacheMode } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { CommandContext } from '../context.ts'
import { usageFailure } from '../failure.ts'
import { coreCache, type ImageOperand, openImage, withGraph } from '../graph.ts'
import { startProgress } from '../progress-signal.ts'
import { rebaseTable } from '../tables/rebase.ts'
import type { Command } from './command.ts'

interface RebaseArguments {
  readonly operand: ImageOperand
  /** Absent or empty: none. */
  readonly backingFile: string | undefined
  readonly backingFormat: string | undefined
  /** Of the image. */
  readonly cache: string
  /** Of the new backing file. */
  readonly sourceCache: string
  readonly unsafe: boolean
  readonly compress: boolean
  readonly forceShare: boolean
  readonly quiet: boolean
  readonly progress: boolean
}

interface Caches {
  readonly cache: CacheMode
  readonly sourceCache: CacheMode
}

/** `rebase [-f FMT] [-t CACHE] [-T SRC_CACHE] [-p] [-q] [-U] [-u] -b BACKING [-F BFMT] FILENAME` */
export const rebaseCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const progress = startProgress(context, { enabled: given.progress, quiet: given.quiet, minSkip: 2 })
  const { unsafe, backingFile = '', backingFormat, forceShare } = given
  const rebase = async (graph: BlockGraph, caches: Caches, signal: AbortSignal): Promise<void> => {
    const disk = await openImage(context, graph, given.operand, {
      writable: true,
      cache: caches.cache,
      noBacking: unsafe,
    })
    await rebaseImage(graph, disk, {
      backing: backingFile === '' ? undefined : { filename: backingFile, format: backingFormat },
      unsafe,
      compress: given.compress,
      signal,
      open: { cache: coreCache(caches.sourceCache), forceShare },
      onProgress: ({ current, total }) => progress.report((100 * current) / total, current),
    }).catch((error: unknown) => {
      // Nothing is left to copy then, and the reference says so.
      if (isHeaderFailure(error)) {
        context.reporter.tell(error)
        progress.report(100)
      }
      throw error
    })
    progress.report(100)
  }
  const work = async (signal: AbortSignal): Promise<void> => {
    progress.report(0)
    const caches = {
      cache: requireCacheMode(given.cache, ''),
      sourceCache: requireCacheMode(given.sourceCache, 'source '),
    }
    await withGraph(context, (graph) => rebase(graph, caches, signal))
  }
  try {
    await interruptible(work, {
      givenUp: () => `'${given.operand.text}' reads as before, and keeps its backing file`,
      done: () => `'${given.operand.text}' reads as before, and has its new backing file`,
    })
  } finally {
    progress.end()
  }
  if (given.quiet) return 0
  printResult(context, 'rebase', {
    filename: given.operand.text,
    'backing-filename': backingFile === '' ? null : backingFile,
    'backing-filename-format': backingFile === '' ? null : (backingFormat ?? null),
    unsafe,
  })
  return 0
}

/** Whether all was copied, and only the new name could not be recorded. */
function isHeaderFailure(error: unknown): boolean {
  return error instanceof BlockError && error.message.startsWith('Could not change the backing file to ')
}

function parseArguments(context: CommandContext, argv: readonly string[]): RebaseArguments {
  const given = new Map<string, string>()
  const operands = scanOptions(context, argv, rebaseTable, (id, argument) => void given.set(id, argument))
  const [text] = operands
  if (text === undefined || operands.length > 1) throw usageFailure('Expecting one image file name')
  const unsafe = given.has('u')
  if (!unsafe && !given.has('b')) {
    throw usageFailure('Must specify backing file (-b) or use unsafe mode (-u)')
  }
  const imageOpts = given.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.get('f'))
  return {
    operand: { text, imageOpts, format: given.get('f') },
    backingFile: given.get('b'),
    backingFormat: given.get('F'),
    cache: given.get('t') ?? 'writeback',
    sourceCache: given.get('T') ?? 'writeback',
    unsafe,
    compress: given.has('c'),
    forceShare: given.has('U'),
    quiet: given.has('q'),
    progress: given.has('p'),
  }
}
