/** `info`: what an image, or every image of a chain, says about itself. */

import { type BlockGraph, toQemuJson } from '@blocklayer/block-core'
import { type ImageInfo, imageInfo, type Verdict, walkChain } from '@blocklayer/qemu-img'
import { drawnOutputForm, type OutputForm, refuseFormatWithOptions, singleOperand } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { refusedExit } from '../exit-codes.ts'
import type { CommandContext } from '../context.ts'
import { interruptible, onlyRead } from '../interruption.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { showingProgress } from '../progress-signal.ts'
import { humanInfo, infoMembers } from '../print/info.ts'
import { printPicture } from '../print/picture.ts'
import { infoTable } from '../tables/info.ts'
import type { Command } from './command.ts'

interface InfoArguments {
  readonly operand: ImageOperand
  readonly form: OutputForm | 'html'
  readonly chain: boolean
  readonly forceShare: boolean
  /** Tell what images ask of requests. */
  readonly limits: boolean
}

/** `info [-f FMT] [--output=human|json|html] [--backing-chain] [-U] FILENAME` */
export const infoCommand: Command = async (context, argv) => {
  const { operand, form, chain, ...how } = parseArguments(context, argv)
  if (form === 'html') return await drawImage(context, { operand, chain, ...how })
  if (context.untrusted.enabled) return await printVerdict(context, operand, form)
  const read = (signal: AbortSignal): Promise<ImageInfo[]> => readInfos(context, operand, { chain, ...how, signal })
  const infos = await interruptible(
    (signal) => showingProgress(context, { quiet: false, form, unit: 'steps' }, () => read(signal)),
    onlyRead,
  )
  if (form === 'human') context.out(infos.map(humanInfo).join('\n'))
  else {
    const members = infos.map(infoMembers)
    context.out(`${toQemuJson(chain ? members : (members[0] ?? {}), { pretty: true })}\n`)
  }
  return 0
}

/** A picture of the image alone, or with `--backing-chain` of what all images of the chain make of it. */
async function drawImage(
  context: CommandContext,
  { operand, chain, forceShare }: Omit<InfoArguments, 'form'>,
): Promise<number> {
  const draw = async (graph: BlockGraph, signal: AbortSignal): Promise<void> => {
    const disk = await openImage(context, graph, operand, { noBacking: !chain, forceShare })
    await showingProgress(context, { quiet: false, form: 'json', unit: 'steps' }, (onProgress) =>
      printPicture(context, disk, { form: 'html', signal, onProgress }),
    )
  }
  await interruptible((signal) => withGraph(context, (graph) => draw(graph, signal)), onlyRead, context.untrusted)
  return 0
}

/** `--untrusted`: the verdict is the information. */
async function printVerdict(context: CommandContext, operand: ImageOperand, form: OutputForm): Promise<number> {
  const [{ judgeOperand }, { humanVerdict, verdictMembers }] = await Promise.all([
    import('../judge-operand.ts'),
    import('../print/verdict.ts'),
  ])
  const judge = (signal: AbortSignal): Promise<Verdict> => judgeOperand(context, operand, signal)
  const verdict = await interruptible(
    (signal) => showingProgress(context, { quiet: false, form, unit: 'steps' }, () => judge(signal)),
    onlyRead,
  )
  if (form === 'human') context.out(humanVerdict(operand.text, verdict))
  else context.out(`${toQemuJson(verdictMembers(operand.text, verdict), { pretty: true })}\n`)
  return verdict.verdict === 'refused' ? refusedExit : 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): InfoArguments {
  const given: { format?: string; output?: string } = {}
  const flags = new Set<string>()
  const operands = scanOptions(context, argv, infoTable, (id, argument) => {
    if (id === 'f') given.format = argument
    else if (id === 'output') given.output = argument
    else flags.add(id)
  })
  const text = singleOperand(operands)
  const form = drawnOutputForm(given.output, ['html'])
  const imageOpts = flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.format)
  return {
    operand: { text, imageOpts, format: given.format },
    form,
    chain: flags.has('backing-chain'),
    forceShare: flags.has('U'),
    limits: flags.has('limits'),
  }
}

type HowToRead = Pick<InfoArguments, 'forceShare' | 'limits'>

async function readInfos(
  context: CommandContext,
  first: ImageOperand,
  { chain, signal, ...how }: HowToRead & { readonly chain: boolean; readonly signal: AbortSignal },
): Promise<ImageInfo[]> {
  if (!chain) return [await readInfo(context, first, how)]
  return await walkChain({ filename: first.text, format: first.format }, ({ filename, format }, depth) => {
    signal.throwIfAborted()
    return readInfo(context, depth === 0 ? first : { text: filename, imageOpts: false, format }, how)
  })
}

function readInfo(
  context: CommandContext,
  operand: ImageOperand,
  { forceShare, limits }: HowToRead,
): Promise<ImageInfo> {
  return withGraph(context, async (graph: BlockGraph) => {
    const disk = await openImage(context, graph, operand, { noIo: true, noBacking: true, forceShare })
    // Nodes below are told of since QEMU 8.0. Limits are those of a tree: the file's matter as much as the image's.
    return await imageInfo(disk, { children: limits || context.compat !== '7.2', limits })
  })
}
