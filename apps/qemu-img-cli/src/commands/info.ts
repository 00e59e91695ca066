/** `info`: what an image, or every image of a chain, says about itself. */

import {
  type BlockBackend,
  type BlockGraph,
  type BlockNode,
  type ImageFacts,
  imageFacts,
  snapshotsOf,
  toQemuJson,
} from '@blocklayer/block-core'
import { type OutputForm, outputForm, refuseFormatWithOptions, singleOperand } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { Compat } from '../compat.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { type ChildRecord, humanInfo, type ImageRecord, infoMembers } from '../print/info.ts'
import type { Command } from './command.ts'

interface InfoArguments {
  readonly operand: ImageOperand
  readonly form: OutputForm
  readonly chain: boolean
  readonly forceShare: boolean
}

/** `info [-f FMT] [--output=human|json] [--backing-chain] [-U] FILENAME` */
export const infoCommand: Command = async (context, argv) => {
  const { operand, form, chain, forceShare } = parseArguments(context, argv)
  const records = await collectRecords(context, operand, { chain, forceShare })
  if (form === 'human') context.out(records.map(humanInfo).join('\n'))
  else {
    const members = records.map(infoMembers)
    context.out(`${toQemuJson(chain ? members : (members[0] ?? {}), { pretty: true })}\n`)
  }
  return 0
}

function parseArguments(context: CommandContext, argv: readonly string[]): InfoArguments {
  const given: { format?: string; output?: string } = {}
  const flags = new Set<string>()
  const long = ['format:=f', 'output:', 'backing-chain', 'image-opts', 'force-share=U']
  const operands = scanOptions(context, argv, { short: 'f:hU', long }, (id, argument) => {
    if (id === 'f') given.format = argument
    else if (id === 'output') given.output = argument
    else flags.add(id)
  })
  const text = singleOperand(operands)
  const form = outputForm(given.output)
  const imageOpts = flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, given.format)
  return {
    operand: { text, imageOpts, format: given.format },
    form,
    chain: flags.has('backing-chain'),
    forceShare: flags.has('U'),
  }
}

/**
 * Records from the top image down; each image is closed before the next is opened, so that a chain through a missing
 * image still fails at the right one.
 *
 * @throws Failure where the chain bites its own tail
 */
async function collectRecords(
  context: CommandContext,
  first: ImageOperand,
  options: { readonly chain: boolean; readonly forceShare: boolean },
): Promise<ImageRecord[]> {
  const records: ImageRecord[] = []
  const seen = new Set<string>()
  for (let next: ImageOperand | undefined = first; next !== undefined; ) {
    if (seen.has(next.text)) throw new Failure(`Backing file '${next.text}' creates an infinite loop.`)
    seen.add(next.text)
    const record = await readRecord(context, next, options.forceShare)
    records.push(record)
    next = options.chain ? backingOperand(record) : undefined
  }
  return records
}

function backingOperand(record: ImageRecord): ImageOperand | undefined {
  if (record.backingFilename === undefined) return undefined
  if (record.fullBackingFilename === undefined) {
    const recorded = record.backingFilename
    throw new Failure(`Could not determine absolute backing filename, but backing filename '${recorded}' present`)
  }
  return { text: record.fullBackingFilename, imageOpts: false, format: record.backingFormat }
}

function readRecord(context: CommandContext, operand: ImageOperand, forceShare: boolean): Promise<ImageRecord> {
  return withGraph(context, async (graph: BlockGraph) => {
    const disk = await openImage(context, graph, operand, { noIo: true, noBacking: true, forceShare })
    return imageRecord(disk, context.compat)
  })
}

/** What `info` shows of an open image. */
async function imageRecord(disk: BlockBackend, compat: Compat): Promise<ImageRecord> {
  const { root, info } = disk
  const facts = await imageFacts(root)
  return {
    filename: facts.filename,
    format: facts.format,
    virtualSize: disk.length,
    actualSize: facts['actual-size'],
    encrypted: info.encrypted === true,
    clusterSize: facts['cluster-size'],
    dirty: facts['dirty-flag'],
    backingFilename: facts['backing-filename'],
    backingFormat: facts['backing-filename-format'],
    fullBackingFilename: facts['full-backing-filename'],
    snapshots: snapshotsOf(disk),
    specific: info.specific,
    ...(compat === '7.2' ? {} : { children: await childRecords(root) }),
  }
}

/** What is below an image, as far as `info` opens it. */
async function childRecords(node: BlockNode): Promise<ChildRecord[]> {
  const children: ChildRecord[] = []
  for (const [name, child] of node.children) {
    const facts = await imageFacts(child)
    const isProtocol = child.driverKind === 'protocol'
    const record = {
      ...backinglessRecord(facts),
      specific: facts['format-specific'] ?? (isProtocol ? { type: child.driverName, data: {} } : undefined),
      children: await childRecords(child),
    }
    children.push({ name, isProtocol, record })
  }
  return children
}

function backinglessRecord(facts: ImageFacts): Omit<ImageRecord, 'specific'> {
  return {
    filename: facts.filename,
    format: facts.format,
    virtualSize: facts['virtual-size'],
    actualSize: facts['actual-size'],
    encrypted: facts.encrypted === true,
    clusterSize: facts['cluster-size'],
    dirty: facts['dirty-flag'],
    backingFilename: facts['backing-filename'],
    backingFormat: facts['backing-filename-format'],
    fullBackingFilename: facts['full-backing-filename'],
    snapshots: [],
  }
}
