/** `compare`: whether two images hold the same content. */

import { printResult, say as sayToPeople } from '../print/result.ts'
import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type JobProgress,
  type JsonValue,
} from '@blocklayer/block-core'
import { type Comparison, compareDisks } from '@blocklayer/qemu-img'
import { type CacheMode, writeback } from '../args/cache-mode.ts'
import { refuseFormatWithOptions, requireCacheMode } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { CommandContext } from '../context.ts'
import { compareExit, refusedExit } from '../exit-codes.ts'
import { Failure, usageFailure, withHint } from '../failure.ts'
import { interruptible, onlyRead } from '../interruption.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import type { Progress } from '../print/progress.ts'
import { startProgress } from '../progress-signal.ts'
import { compareTable } from '../tables/compare.ts'
import type { Command } from './command.ts'

interface CompareArguments {
  readonly operands: readonly [ImageOperand, ImageOperand]
  readonly cache: CacheMode
  readonly forceShare: boolean
  readonly strict: boolean
  readonly quiet: boolean
  readonly progress: boolean
}

/** `compare [-f FMT1] [-F FMT2] [-T CACHE] [-p] [-q] [-s] [-U] FILENAME1 FILENAME2` */
export const compareCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  const progress = startProgress(context, { enabled: given.progress, quiet: given.quiet, minSkip: 2 })
  try {
    const work = async (graph: BlockGraph, signal: AbortSignal): Promise<number> => {
      const first = await openDisk(context, graph, given.operands[0], given)
      const second = await openDisk(context, graph, given.operands[1], given)
      progress.report(0)
      const say = (text: string): void => {
        if (!given.quiet) sayToPeople(context, `${text}\n`)
      }
      const verdict = await compare(given, { first, second, progress, say, signal })
      if (!given.quiet) printResult(context, 'compare', resultMembers(given, [first.length, second.length], verdict))
      return conclude(verdict, say)
    }
    return await interruptible(
      (signal) => withGraph(context, (graph) => work(graph, signal)),
      onlyRead,
      context.untrusted,
    )
  } finally {
    progress.end()
  }
}

function parseArguments(context: CommandContext, argv: readonly string[]): CompareArguments {
  const given = new Map<string, string>()
  const operands = scanOptions(context, argv, compareTable, (id, argument) => void given.set(id, argument))
  const [first, second] = operands
  if (first === undefined || second === undefined || operands.length > 2) {
    throw usageFailure('Expecting two image file names')
  }
  const imageOpts = given.has('image-opts')
  const [format, secondFormat] = [given.get('f'), given.get('F')]
  refuseFormatWithOptions(imageOpts, format ?? secondFormat, compareExit.openFailed)
  const cache = given.get('T')
  return {
    operands: [
      { text: first, imageOpts, format },
      { text: second, imageOpts, format: secondFormat },
    ],
    cache: cache === undefined ? writeback : requireCacheMode(cache, 'source ', compareExit.openFailed),
    forceShare: given.has('U'),
    strict: given.has('s'),
    quiet: given.has('q'),
    progress: given.has('p'),
  }
}

async function openDisk(
  context: CommandContext,
  graph: BlockGraph,
  operand: ImageOperand,
  { cache, forceShare }: CompareArguments,
): Promise<BlockBackend> {
  try {
    return await openImage(context, graph, operand, { cache, forceShare })
  } catch (error) {
    if (error instanceof Failure && error.exitCode === refusedExit) throw error
    const told = error instanceof BlockError ? withHint(error) : error instanceof Failure ? error : undefined
    if (told === undefined) throw error
    throw new Failure((error as Error).message, { hint: told.hint, cause: error, exitCode: compareExit.openFailed })
  }
}

interface OpenedPair {
  readonly first: BlockBackend
  readonly second: BlockBackend
  readonly progress: Progress
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

/** @throws Failure with the exit status of the stage that failed */
async function compare(
  { strict, operands: [one, other] }: CompareArguments,
  { first, second, progress, say, signal }: OpenedPair,
): Promise<Comparison> {
  try {
    return await compareDisks(first, second, {
      strict,
      signal,
      names: [one.text, other.text],
      onWarning: (message) => say(`Warning: ${message}`),
      onProgress: sumOfShares(progress),
    })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const exitCode = error.details?.stage === 'read' ? compareExit.readFailed : compareExit.statusFailed
    throw new Failure(error.message, { exitCode, cause: error })
  }
}

/** As in the reference, percentages are added up step by step; how they round shows. */
function sumOfShares(progress: Progress): (work: JobProgress) => void {
  let percent = 0
  let done = 0
  return ({ current, total }) => {
    percent += ((current - done) / total) * 100
    done = current
    progress.report(percent, current)
  }
}

function resultMembers(
  { operands: [one, other], strict }: CompareArguments,
  lengths: readonly number[],
  verdict: Comparison,
): Record<string, JsonValue> {
  const identical = verdict.kind === 'identical'
  return {
    filenames: [one.text, other.text],
    'virtual-sizes': lengths,
    strict,
    identical,
    difference: identical ? null : verdict,
  }
}

function conclude(verdict: Comparison, say: (text: string) => void): number {
  switch (verdict.kind) {
    case 'identical':
      say('Images are identical.')
      return compareExit.identical
    case 'content':
      say(`Content mismatch at offset ${verdict.offset}!`)
      return compareExit.different
    case 'status':
      say(`Strict mode: Offset ${verdict.offset} block status mismatch!`)
      return compareExit.different
    case 'size':
      say('Strict mode: Image size mismatch!')
      return compareExit.different
  }
}
