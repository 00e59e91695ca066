/** `convert`: copies images into a new image, or into one that exists. */

import { printResult } from '../../print/result.ts'
import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type FlatOptions,
  type JobProgress,
  type JsonValue,
  parseOptionList,
} from '@blocklayer/block-core'
import {
  type ConvertOptions,
  type ConvertTarget,
  type ConvertWarning,
  convertImage,
  showImageSnapshot,
} from '@blocklayer/qemu-img'
import { refuseFormatWithOptions, requireCacheMode } from '../../args/common.ts'
import { requireBackingFormat } from '../../backing-format.ts'
import type { CommandContext } from '../../context.ts'
import { interruptible } from '../../interruption.ts'
import { dataFiles, NewTarget } from '../../new-target.ts'
import { Done, Failure, withHint } from '../../failure.ts'
import { openImage, withGraph } from '../../graph.ts'
import { creationHelp } from '../../print/option-help.ts'
import type { Progress } from '../../print/progress.ts'
import { isWatched, startProgress } from '../../progress-signal.ts'
import type { Command } from '../command.ts'
import { type ConvertArguments, parseConvertArguments, sourceSharing } from './options.ts'
import { convertStream, isStream } from './stream.ts'

/** `convert [-f FMT] [-O FMT] [-o OPTIONS] [-B BACKING [-F BFMT]] [-n] [-S SPARSE] … SRC [SRC2...] OUT` */
export const convertCommand: Command = async (context, argv) => {
  const given = await parseConvertArguments(context, argv, async (format, target) => {
    context.out(creationHelp(await context.drivers(), format, target))
    throw new Done()
  })
  if (isStream(given)) {
    await convertStream(context, given)
    return 0
  }
  const progress = startProgress(context, { ...watching(given), minSkip: 1 })
  try {
    const target = new NewTarget({
      target: given.target,
      others: dataFiles(given.options),
      exists: given.flags.has('n'),
    })
    const bytes = await interruptible(
      async (signal) => {
        progress.report(0)
        return await withGraph(context, (graph) => convert(context, graph, given, { progress, target, signal }))
      },
      { givenUp: () => target.giveUp(), done: () => `'${given.target}' is complete` },
      context.untrusted,
    )
    if (!given.flags.has('q')) printResult(context, 'convert', resultMembers(given, bytes))
  } finally {
    progress.end()
  }
  return 0
}

/** What a conversion is done with, beside what the user asked for. */
interface Conversion {
  readonly progress: Progress
  readonly target: NewTarget
  readonly signal: AbortSignal
}

async function convert(
  context: CommandContext,
  graph: BlockGraph,
  given: ConvertArguments,
  { progress, target: kept, signal }: Conversion,
): Promise<number> {
  const sources = await openSources(context, graph, given)
  await loadSnapshot(given, sources[0])
  // What the target names, the user has named.
  context.untrusted.trustFromHere()
  const target = describeTarget(context, graph, given, kept)
  try {
    await convertImage(graph, sources, target, { ...convertOptions(context, given, progress), signal })
  } catch (error) {
    // The reference ends with status 0 here, and scripts may rely on it.
    const isSuccess = error instanceof BlockError && error.details?.reason === 'target-is-zero'
    throw isSuccess ? new Failure(error.message, { ...withHint(error), exitCode: 0 }) : error
  }
  return sources.reduce((bytes, disk) => bytes + disk.length, 0)
}

function resultMembers(
  { sources, target, targetFormat, flags }: ConvertArguments,
  bytes: number,
): Record<string, JsonValue> {
  return {
    sources,
    filename: target,
    format: targetFormat ?? null,
    'virtual-size': bytes,
    compressed: flags.has('c'),
    created: !flags.has('n'),
  }
}

async function openSources(
  context: CommandContext,
  graph: BlockGraph,
  given: ConvertArguments,
): Promise<readonly BlockBackend[]> {
  const imageOpts = given.flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.sourceFormat)
  const cache = requireCacheMode(given.sourceCache, 'source ')
  const sharing = sourceSharing(given)
  const disks: BlockBackend[] = []
  for (const text of given.sources) {
    const operand = { text, imageOpts, format: given.sourceFormat }
    disks.push(await openImage(context, graph, operand, { cache, ...sharing }))
  }
  return disks
}

/** A snapshot in place of the first source's present content. */
async function loadSnapshot({ snapshot, sources }: ConvertArguments, source: BlockBackend | undefined): Promise<void> {
  if (snapshot === undefined || source === undefined) return
  if (snapshot.bare && sources.length > 1) throw new Failure('No support for concatenating multiple snapshot')
  await showImageSnapshot(source, snapshot.wanted)
}

/** `-B`, `-F`, or what stands for them among the options. */
function describeTarget(
  context: CommandContext,
  graph: BlockGraph,
  given: ConvertArguments,
  kept: NewTarget,
): ConvertTarget {
  const options: FlatOptions = given.options === undefined ? new Map() : parseOptionList(given.options)
  const { backingFile, backingFormat, targetFormat } = given
  const open = (): Promise<BlockBackend> => {
    kept.begin()
    return openTarget(context, graph, given)
  }
  const backing = backingFile === undefined ? {} : { backing: { filename: backingFile, format: backingFormat } }
  if (given.flags.has('n')) {
    return { disk: open, format: targetFormat, isZero: given.flags.has('target-is-zero'), ...backing }
  }
  const format = targetFormat ?? 'raw'
  if (backingFile === undefined && backingFormat !== undefined) {
    requireBackingFormat(graph, format)
    options.set('backing_fmt', backingFormat)
  }
  return { filename: given.target, format, options, open, ...backing }
}

async function openTarget(context: CommandContext, graph: BlockGraph, given: ConvertArguments): Promise<BlockBackend> {
  const cache = requireCacheMode(given.targetCache, '')
  const imageOpts = given.flags.has('target-image-opts')
  refuseFormatWithOptions(imageOpts, given.targetFormat)
  const operand = { text: given.target, imageOpts, format: given.targetFormat }
  return await openImage(context, graph, operand, { writable: true, cache, unmap: given.sparseBytes > 0 })
}

function convertOptions(context: CommandContext, given: ConvertArguments, progress: Progress): ConvertOptions {
  const { flags, sparseBytes, workers, rate } = given
  const quiet = flags.has('q')
  const onWarning = ({ kind, message }: ConvertWarning): void => {
    if (kind === 'bitmap' || !quiet) context.warn(message)
  }
  return {
    sparseBytes,
    compress: flags.has('c'),
    workers,
    // In order, clusters are allocated in the order of the disk, whichever request is done first.
    inOrder: !flags.has('W') || flags.has('reproducible'),
    rate,
    salvage: flags.has('salvage'),
    bitmaps: flags.has('bitmaps') ? (flags.has('skip-broken-bitmaps') ? 'usable' : 'all') : undefined,
    // Looking through all metadata beforehand is only worth it where somebody watches.
    countFirst: isWatched(context, watching(given)),
    onProgress: (work) => progress.report(percentOf(work), work.current),
    onWarning,
  }
}

function percentOf({ current, total }: JobProgress): number {
  return total === 0 ? 100 : 100 * (current / total)
}

function watching({ flags }: ConvertArguments): { readonly enabled: boolean; readonly quiet: boolean } {
  return { enabled: flags.has('p'), quiet: flags.has('q') }
}
