/** `commit`: brings what an overlay holds down into an image beneath it, and empties the overlay. */

import { interruptible } from '../interruption.ts'
import { printResult, say } from '../print/result.ts'
import { type BlockBackend, type BlockGraph, type BlockNode, backingImageOf } from '@blocklayer/block-core'
import { commitImage } from '@blocklayer/blockjob'
import { type CacheMode, writeback } from '../args/cache-mode.ts'
import { refuseFormatWithOptions, requireCacheMode, singleOperand } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { startProgress } from '../progress-signal.ts'
import { commitTable } from '../tables/commit.ts'
import type { Command } from './command.ts'

interface CommitArguments {
  readonly operand: ImageOperand
  readonly cache: CacheMode
  /** The image to commit into; absent: the one right below. */
  readonly base: string | undefined
  /** Bytes per second; 0: as fast as possible. */
  readonly rate: number
  /** Leave the overlay as it is. */
  readonly drop: boolean
  readonly quiet: boolean
  readonly progress: boolean
}

/** `commit [-q] [-f FMT] [-t CACHE] [-b BASE] [-r RATE] [-d] [-p] FILENAME` */
export const commitCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const progress = startProgress(context, { enabled: given.progress, quiet: given.quiet, minSkip: 1 })
  const commit = async (graph: BlockGraph, signal: AbortSignal): Promise<string> => {
    const disk = await openImage(context, graph, given.operand, { writable: true, cache: given.cache, unmap: true })
    try {
      progress.report(0)
      const base = findBase(graph, disk, given)
      await commitImage(graph, disk, {
        base: given.base === undefined ? undefined : base,
        drop: given.drop,
        speed: given.rate,
        signal,
        onProgress: ({ current, total }) => progress.report((100 * current) / total, current),
      })
      progress.report(100)
      return base?.filename ?? ''
    } finally {
      progress.end()
    }
  }
  const base = await interruptible(
    (signal) => withGraph(context, (graph) => commit(graph, signal), { tellAfterClosing: true }),
    {
      givenUp: () => `'${given.operand.text}' still holds all that it held`,
      done: () => `'${given.operand.text}' was committed`,
    },
  )
  if (given.quiet) return 0
  say(context, 'Image committed.\n')
  const emptied = !given.drop && given.base === undefined
  printResult(context, 'commit', { filename: given.operand.text, base, emptied })
  return 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): CommitArguments {
  const given = new Map<string, string>()
  let rate = 0
  const operands = scanOptions(context, argv, commitTable, (id, argument) => {
    if (id === 'r') rate = Number(parseSizeArgument(argument, { name: 'rate limit' }, context.warn))
    else given.set(id, argument)
  })
  const text = singleOperand(operands)
  const imageOpts = given.has('image-opts')
  const format = given.get('f')
  const cache = given.get('t')
  const mode = cache === undefined ? writeback : requireCacheMode(cache, '')
  refuseFormatWithOptions(imageOpts, format)
  return {
    operand: { text, imageOpts, format },
    cache: mode,
    base: given.get('b'),
    rate,
    drop: given.has('d'),
    quiet: given.has('q'),
    progress: given.has('p'),
  }
}

function findBase(graph: BlockGraph, disk: BlockBackend, { base, operand }: CommitArguments): BlockNode | undefined {
  if (base === undefined) return backingImageOf(disk.root)
  const node = graph.findBackingImage(disk.root, base)
  if (node === undefined) throw new Failure(`Did not find '${base}' in the backing chain of '${operand.text}'`)
  return node
}
