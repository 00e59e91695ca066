/** `convert`: copies images into a new image, or into one that exists. */

import {
  type BitmapCopyOptions,
  type BlockBackend,
  type BlockGraph,
  canWriteCompressed,
  checkBitmapCopy,
  copyBitmaps,
  keepsBitmaps,
  Permissions,
  readsZeroWhenNew,
  requestAlignmentOf,
} from '@blocklayer/block-core'
import { refuseFormatWithOptions, requireCacheMode } from '../../args/common.ts'
import { showChosenSnapshot } from '../../args/snapshot-arg.ts'
import type { CommandContext } from '../../context.ts'
import { Done, Failure } from '../../failure.ts'
import { openImage, withGraph } from '../../graph.ts'
import { creationHelp } from '../../print/option-help.ts'
import type { Progress } from '../../print/progress.ts'
import { startProgress } from '../../progress-signal.ts'
import type { Command } from '../command.ts'
import { type CopyOptions, copyDisk, countData } from './copy.ts'
import { type ConvertArguments, parseConvertArguments } from './options.ts'
import { zeroAlignment } from './plan.ts'
import { Sources } from './sources.ts'
import { createTarget, planTarget, refuseCompression, type TargetPlan } from './target.ts'

/** `convert [-f FMT] [-O FMT] [-o OPTIONS] [-B BACKING [-F BFMT]] [-n] [-S SPARSE] … SRC [SRC2...] OUT` */
export const convertCommand: Command = async (context, argv) => {
  const given = await parseConvertArguments(context, argv, async (format, target) => {
    context.out(creationHelp(await context.drivers(), format, target))
    throw new Done()
  })
  const { flags } = given
  const progress = startProgress(context, { enabled: flags.has('p') && !flags.has('q'), minSkip: 1 })
  progress.report(0)
  try {
    await withGraph(context, (graph) => convert(context, graph, given, progress))
  } finally {
    progress.end()
  }
  return 0
}

async function convert(
  context: CommandContext,
  graph: BlockGraph,
  given: ConvertArguments,
  progress: Progress,
): Promise<void> {
  const disks = await openSources(context, graph, given)
  const sources = new Sources(disks)
  await loadSnapshot(given, disks[0])
  const plan = await planTarget(graph, given, sources.length)
  const bitmaps = bitmapCopy(context, given)
  if (bitmaps !== undefined) checkBitmaps(disks, bitmaps)
  if (plan.creation !== undefined) await createTarget(plan.creation)
  const target = await openTarget(context, graph, given)
  if (bitmaps !== undefined && !keepsBitmaps(target.root)) {
    throw new Failure(`Format driver '${target.root.driverName}' does not support bitmaps`)
  }
  if (given.flags.has('c') && !canWriteCompressed(target.root)) refuseCompression()
  if (given.flags.has('n') && target.length < sources.length) {
    throw new Failure('output file is smaller than input file')
  }
  await copyDisk(await copyOptions(context, { given, sources, target, plan, progress }))
  progress.report(100)
  if (bitmaps !== undefined && disks[0] !== undefined) await copyBitmaps(disks[0].root, target.root, bitmaps)
}

async function openSources(
  context: CommandContext,
  graph: BlockGraph,
  given: ConvertArguments,
): Promise<readonly BlockBackend[]> {
  const imageOpts = given.flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.sourceFormat)
  const cache = requireCacheMode(given.sourceCache, 'source ')
  const forceShare = given.flags.has('U')
  // Nobody may change a source under our hands, even where its format would let them.
  const share = Permissions.all & ~(Permissions.write | Permissions.resize)
  const disks: BlockBackend[] = []
  for (const text of given.sources) {
    const operand = { text, imageOpts, format: given.sourceFormat }
    disks.push(await openImage(context, graph, operand, { cache, forceShare, ...(forceShare ? {} : { share }) }))
  }
  return disks
}

async function openTarget(context: CommandContext, graph: BlockGraph, given: ConvertArguments): Promise<BlockBackend> {
  const cache = requireCacheMode(given.targetCache, '')
  const imageOpts = given.flags.has('target-image-opts')
  refuseFormatWithOptions(imageOpts, given.targetFormat)
  const operand = { text: given.target, imageOpts, format: given.targetFormat }
  return await openImage(context, graph, operand, { writable: true, cache, unmap: given.sparseBytes > 0 })
}

/** A snapshot in place of the first source's present content. */
async function loadSnapshot({ snapshot, sources }: ConvertArguments, source: BlockBackend | undefined): Promise<void> {
  if (snapshot === undefined || source === undefined) return
  if (snapshot.bare && sources.length > 1) throw new Failure('No support for concatenating multiple snapshot')
  await showChosenSnapshot(source, snapshot)
}

/** How bitmaps are copied; `undefined`: not at all. */
function bitmapCopy(context: CommandContext, { flags }: ConvertArguments): BitmapCopyOptions | undefined {
  if (!flags.has('bitmaps')) return undefined
  if (!flags.has('skip-broken-bitmaps')) return {}
  return { onSkipped: (name) => context.warn(`Skipping inconsistent bitmap '${name}'`) }
}

function checkBitmaps(disks: readonly BlockBackend[], bitmaps: BitmapCopyOptions): void {
  const [source] = disks
  if (source === undefined || disks.length > 1) throw new Failure('Copying bitmaps only possible with single source')
  checkBitmapCopy(source.root, bitmaps)
}

interface CopySetting {
  readonly given: ConvertArguments
  readonly sources: Sources
  readonly target: BlockBackend
  readonly plan: TargetPlan
  readonly progress: Progress
}

async function copyOptions(
  context: CommandContext,
  { given, sources, target, plan, progress }: CopySetting,
): Promise<CopyOptions> {
  const { flags, sparseBytes } = given
  const targetHasBacking = plan.backing !== undefined
  const isNew = plan.creation !== undefined && sparseBytes > 0 && !targetHasBacking
  const alignment = zeroAlignment(sparseBytes, requestAlignmentOf(target.root))
  const quiet = flags.has('q')
  const options: CopyOptions = {
    sources,
    target,
    rules: { targetHasBacking, targetBackingBytes: target.root.backing?.length ?? Number.POSITIVE_INFINITY },
    sparse: sparseBytes === 0 ? undefined : { sparseBytes, alignment },
    targetReadsZero: flags.has('target-is-zero') || (isNew && (await readsZeroWhenNew(target.root))),
    compress: flags.has('c') ? clusterBytesOf(target) : undefined,
    workers: given.workers,
    inOrder: !flags.has('W'),
    rate: given.rate,
    salvage: flags.has('salvage') ? (message) => (quiet ? undefined : context.warn(message)) : undefined,
    progress,
    dataTotal: 0,
  }
  // Looking through all metadata beforehand is only worth it where somebody watches.
  return flags.has('p') && !quiet ? { ...options, dataTotal: await countData(options) } : options
}

/** Compressed data is written in whole clusters, so there must be such. */
function clusterBytesOf(target: BlockBackend): number {
  return target.info.clusterSize ?? refuseCompression()
}
