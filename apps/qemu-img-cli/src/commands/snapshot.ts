/** `snapshot`: lists, makes, applies and deletes internal snapshots. */

import {
  type BlockBackend,
  BlockError,
  type BlockGraph,
  errnoNumber,
  type JsonValue,
  snapshotMembers,
  snapshotsOf,
} from '@blocklayer/block-core'
import { applyImageSnapshot, createImageSnapshot, deleteImageSnapshot } from '@blocklayer/qemu-img'
import { refuseFormatWithOptions, singleOperand } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import type { Compat } from '../compat.ts'
import type { CommandContext } from '../context.ts'
import { Failure, usageFailure, withHint } from '../failure.ts'
import { interruptible, onlyRead, type Outcomes } from '../interruption.ts'
import { type ImageOperand, type OpenMode, openImage, withGraph } from '../graph.ts'
import { humanSnapshots } from '../print/snapshot-list.ts'
import { printResult, say } from '../print/result.ts'
import { showingProgress } from '../progress-signal.ts'
import { snapshotTable } from '../tables/snapshot.ts'
import type { Command } from './command.ts'

/** What is to be done, by the option's letter. */
type Action =
  | { readonly kind: 'l' | 'none'; readonly name?: undefined }
  | { readonly kind: 'a' | 'c' | 'd'; readonly name: string }

interface SnapshotArguments {
  readonly operand: ImageOperand
  readonly action: Action
  readonly forceShare: boolean
  /** Only for programs: nothing is printed for people but the list. */
  readonly quiet: boolean
}

const actionNames = { l: 'list', a: 'apply', c: 'create', d: 'delete', none: 'none' } as const

const pastActions = { a: 'applied', c: 'made', d: 'deleted' } as const

/** `snapshot [--image-opts] [-U] [-q] [-l | -a NAME | -c NAME | -d NAME] FILENAME` */
export const snapshotCommand: Command = async (context, argv) => {
  const { operand, action, forceShare, quiet } = parseArguments(context, argv)
  const mode: OpenMode = { writable: action.kind !== 'l', forceShare, unmap: true }
  const work = async (graph: BlockGraph, signal: AbortSignal): Promise<Record<string, JsonValue | undefined>> => {
    const disk = await openImage(context, graph, operand, mode)
    return await showingProgress(context, { quiet, unit: 'steps' }, () => act(graph, disk, signal))
  }
  const act = async (
    graph: BlockGraph,
    disk: BlockBackend,
    signal: AbortSignal,
  ): Promise<Record<string, JsonValue | undefined>> => {
    // From here on it is one step, which is done whole.
    signal.throwIfAborted()
    if (action.kind === 'l') list(context, disk)
    else if (action.kind === 'c') await create(disk, action.name, context.compat)
    else if (action.kind === 'd') await deleteImageSnapshot(disk, action.name)
    else if (action.kind === 'a')
      await apply(disk, action.name, () => openAgain(context, { graph, operand, mode, disk }))
    return action.kind === 'l' ? { snapshots: snapshotsOf(disk).map(snapshotMembers) } : { name: action.name }
  }
  const outcomes = action.name === undefined ? onlyRead : oneStep(action)
  const members = await interruptible((signal) => withGraph(context, (graph) => work(graph, signal)), outcomes)
  if (!quiet) printResult(context, 'snapshot', { filename: operand.text, action: actionNames[action.kind], ...members })
  return 0
}

/** A change that is made whole or not at all. */
function oneStep({ kind, name }: Action & { readonly name: string }): Outcomes {
  return { ...onlyRead, done: () => `snapshot '${name}' was ${pastActions[kind]}` }
}

function parseArguments(context: CommandContext, argv: readonly string[]): SnapshotArguments {
  let action: Action = { kind: 'none' }
  const flags = new Set<string>()
  let format: string | undefined
  const operands = scanOptions(context, argv, snapshotTable, (id, argument) => {
    if (id === 'f') format = argument
    if (id !== 'l' && id !== 'a' && id !== 'c' && id !== 'd') return void flags.add(id)
    if (action.kind !== 'none') throw usageFailure("Cannot mix '-l', '-a', '-c', '-d'")
    action = id === 'l' ? { kind: id } : { kind: id, name: argument }
  })
  const text = singleOperand(operands)
  const imageOpts = flags.has('image-opts')
  refuseFormatWithOptions(imageOpts, format)
  const operand = { text, imageOpts, format }
  return { operand, action, forceShare: flags.has('U'), quiet: flags.has('q') }
}

function list(context: CommandContext, disk: BlockBackend): void {
  const snapshots = snapshotsOf(disk)
  if (snapshots.length > 0) say(context, humanSnapshots(snapshots, context.compat))
}

async function create(disk: BlockBackend, name: string, compat: Compat): Promise<void> {
  try {
    await createImageSnapshot(disk, name)
  } catch (error) {
    if (!(error instanceof BlockError) || compat === '10') throw error
    const reason = `-${errnoNumber(error.code)} (${error.errnoText})`
    throw new Failure(`Could not create snapshot '${name}': ${reason}`, withHint(error))
  }
}

async function apply(disk: BlockBackend, name: string, openAnew: () => Promise<void>): Promise<void> {
  try {
    await applyImageSnapshot(disk, name)
  } catch (error) {
    if (error instanceof BlockError && error.code === 'ENOTSUP') await openAnew()
    throw error
  }
}

/** The reference looks for a snapshot in the file below, and opens the image anew: what is said then, is said twice. */
async function openAgain(
  context: CommandContext,
  { graph, operand, mode, disk }: { graph: BlockGraph; operand: ImageOperand; mode: OpenMode; disk: BlockBackend },
): Promise<void> {
  await disk.close()
  await openImage(context, graph, operand, mode)
}
