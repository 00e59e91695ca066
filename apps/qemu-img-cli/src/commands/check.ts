/** `check`: looks for damage in an image's metadata, and mends it on request. */

import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type CheckResult,
  type JobProgress,
  type RepairMode,
  toQemuJson,
} from '@blocklayer/block-core'
import { type CheckImageOptions, type CheckReport, checkImage } from '@blocklayer/qemu-img'
import { type CacheMode, writeback } from '../args/cache-mode.ts'
import {
  type OutputForm,
  outputForm,
  refuseFormatWithOptions,
  requireCacheMode,
  singleOperand,
} from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { CommandContext } from '../context.ts'
import { checkExit } from '../exit-codes.ts'
import { Failure, usageFailure } from '../failure.ts'
import { interruptible, onlyRead } from '../interruption.ts'
import { startOwnProgress } from '../progress-signal.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { checkMembers, humanCheck, repairText } from '../print/check.ts'
import { checkTable } from '../tables/check.ts'
import type { Command } from './command.ts'

interface CheckArguments {
  readonly operand: ImageOperand
  readonly form: OutputForm
  readonly repair: RepairMode
  readonly cache: CacheMode
  readonly quiet: boolean
  readonly forceShare: boolean
}

/** `check [-q] [-f FMT] [--output=human|json] [-r leaks|all] [-T CACHE] [-U] FILENAME` */
export const checkCommand: Command = async (context, argv) => {
  const given = parseArguments(context, argv)
  if (context.untrusted.enabled && given.repair !== 'none') {
    throw new Failure('--untrusted and --repair are mutually exclusive')
  }
  const { operand, repair, cache, forceShare } = given
  const writable = repair !== 'none'
  const mended = (how: string) => () => `'${operand.text}' ${how}`
  const outcomes = writable
    ? { givenUp: mended('is mended in part at most'), done: mended('is mended as far as it can be') }
    : onlyRead
  const work = async (graph: BlockGraph, signal: AbortSignal): Promise<number> => {
    const disk = await openImage(context, graph, operand, { check: true, writable, cache, forceShare })
    return await check(context, disk, given, signal)
  }
  return await interruptible(
    (signal) => withGraph(context, (graph) => work(graph, signal)),
    outcomes,
    context.untrusted,
  )
}

function parseArguments(context: CommandContext, argv: readonly string[]): CheckArguments {
  const given: { format?: string; output?: string; cache?: string } = {}
  const flags = new Set<string>()
  let repair: RepairMode = 'none'
  const operands = scanOptions(context, argv, checkTable, (id, argument) => {
    if (id === 'f') given.format = argument
    else if (id === 'output') given.output = argument
    else if (id === 'T') given.cache = argument
    else if (id === 'r') repair = repairMode(argument)
    else flags.add(id)
  })
  const text = singleOperand(operands)
  const form = outputForm(given.output)
  const imageOpts = flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.format)
  return {
    operand: { text, imageOpts, format: given.format },
    form,
    repair,
    cache: given.cache === undefined ? writeback : requireCacheMode(given.cache, 'source '),
    quiet: flags.has('q'),
    forceShare: flags.has('U'),
  }
}

function repairMode(text: string): RepairMode {
  if (text === 'leaks' || text === 'all') return text
  throw usageFailure(`Unknown option value for -r (expecting 'leaks' or 'all'): ${text}`)
}

async function check(
  context: CommandContext,
  disk: BlockBackend,
  given: CheckArguments,
  signal: AbortSignal,
): Promise<number> {
  const isTalkative = given.form === 'human' && !given.quiet
  const onRepaired = (first: CheckResult): void => {
    if (isTalkative) context.out(repairText(first))
  }
  const progress = startOwnProgress(context, given)
  let highest = 0
  // What was mended is counted again: that is told as no more.
  const onProgress = ({ current, total }: JobProgress): void => {
    highest = Math.max(highest, (100 * current) / total)
    progress.report(Math.min(highest, 99))
  }
  progress.report(0)
  const job = { repair: given.repair, onRepaired, signal, onProgress, onEnd: () => progress.report(100) }
  const report = await runCheck(disk, job).finally(() => progress.end())
  if (!given.quiet) {
    const image = { filename: given.operand.text, format: disk.root.driverName }
    const text =
      given.form === 'human' ? humanCheck(report) : `${toQemuJson(checkMembers(report, image), { pretty: true })}\n`
    context.out(text)
  }
  // Where the check met errors of its own, that is said after the report.
  if (report.verdict === 'incomplete') throw new Failure('Check failed', { exitCode: checkExit.notCompleted })
  return checkExit[report.verdict]
}

async function runCheck(
  disk: BlockBackend,
  { onEnd, ...options }: CheckImageOptions & { readonly onEnd: () => void },
): Promise<CheckReport> {
  try {
    const report = await checkImage(disk, options)
    onEnd()
    return report
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const exitCode = error.code === 'ENOTSUP' ? checkExit.notSupported : checkExit.notCompleted
    throw new Failure(error.message, { exitCode, cause: error })
  }
}
