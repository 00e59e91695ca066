/** Lets a driver open a node: its options, its context, and the cleaning up where it fails. */

import type { AnyDriver } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import { firstInHashOrder, parseTypedOptions } from '../options/typed.ts'
import { closeUnused } from './attach.ts'
import { ownOptions, ownOptionsOfSpec } from './given-options.ts'
import type { GraphCore } from './graph-core.ts'
import { NodeOpenContext } from './open-context.ts'
import { type CommonOptions, openFlags } from './open-options.ts'
import type { OpenNode, OpenRequest } from './open-request.ts'
import { refreshPermissions } from './permission-update.ts'
import { isFallback, probeHead, warnOfGuess } from './probe.ts'
import { nodeFilename, strongOptionsOfFlat, strongOptionsOfSpec } from './refresh-filename.ts'

/** A file child that was opened to look into it. */
export interface OpenedFile {
  readonly file: GraphNode
  readonly probed: boolean
  /** Opened for this node alone, not given by its name: its options follow when the node is reopened. */
  readonly isInline: boolean
}

/**
 * Opens `driver` on what the request describes; `opened` becomes the child named `file`.
 *
 * @throws BlockError as the driver; nothing that was opened stays open then
 */
export async function openDriver(
  core: GraphCore,
  open: OpenNode,
  request: OpenRequest,
  common: CommonOptions,
  driver: AnyDriver,
  opened?: OpenedFile,
): Promise<GraphNode> {
  let node: GraphNode | undefined
  try {
    if (common.ownProblem !== undefined) throw common.ownProblem
    node = makeNode(core, request, common, driver, opened?.probed ?? false)
    if (opened?.isInline === true) opened.file.inheritsFrom = node
    if (opened?.probed === true && !common.readOnly) warnOfGuess(core, opened.file.filename, driver)
    await runOpen(node, new NodeOpenContext({ core, open, node, request, common, file: opened?.file }), request)
  } catch (error) {
    // The file goes with the node that took it; where the driver never came so far it is closed here.
    if (node !== undefined) await closeUnused(core, node)
    if (opened !== undefined) await closeUnused(core, opened.file)
    throw error
  }
  // A driver may have no use for the file that was opened for it.
  if (opened !== undefined) await closeUnused(core, opened.file)
  return node
}

function makeNode(
  core: GraphCore,
  request: OpenRequest,
  common: CommonOptions,
  driver: AnyDriver,
  probed: boolean,
): GraphNode {
  if (common.nodeName !== undefined) core.checkNodeName(common.nodeName)
  const node = new GraphNode({
    nodeName: common.nodeName ?? core.names.next(),
    driver,
    readOnly: common.readOnly,
    flags: openFlags(common, probed),
    detectZeroes: common.detectZeroes,
    protocol: common.protocol,
    probed,
    bounce: core.bounce,
  })
  node.inheritsFrom = request.parent
  node.givenOptions = common.given
  node.filenameOf = nodeFilename
  // Other formats keep their own signature: what their guest writes first is data, whatever it looks like.
  if (probed && isFallback(driver)) node.probeAgain = (head) => probeHead(core.drivers, head, undefined).formatName
  core.nodes.set(node.nodeName, node)
  return node
}

async function runOpen(node: GraphNode, context: NodeOpenContext, request: OpenRequest): Promise<void> {
  const flat = request.flat ?? new Map()
  if (request.spec === undefined) node.strongOptions = strongOptionsOfFlat(node, flat)
  else node.strongOptions = strongOptionsOfSpec(request.spec)
  context.takeBackingOptions(flat)
  const parsed =
    request.spec === undefined
      ? parseTypedOptions(node.driver.options as never, flat)
      : { options: request.spec.options as object, leftover: flat }
  rememberGiven(node, request, parsed.options as object)
  const layer = await node.driver.open(context, parsed.options)
  node.setLayer(layer)
  // The layer may want other permissions of its children than those they were attached with.
  refreshPermissions(node)
  await context.attachLateBacking()
  refuseLeftover(node, parsed.leftover)
}

/** What a later reopening compares with, and may leave as it is. */
function rememberGiven(node: GraphNode, { spec, flat }: OpenRequest, options: object): void {
  const own = spec === undefined ? ownOptions(node.driver, flat ?? new Map()) : ownOptionsOfSpec(spec)
  node.givenOptions = new Map([...node.givenOptions, ...own])
  node.typedOptions = options
}

/** An option that nobody wanted is an error: it may have been meant to protect something. */
function refuseLeftover(node: GraphNode, leftover: FlatOptions): void {
  if (leftover.size === 0) return
  const name = firstInHashOrder(leftover)
  const { driver } = node
  const text =
    driver.protocolName !== undefined || driver.kind === 'protocol'
      ? `Block protocol '${driver.formatName}' doesn't support the option '${name}'`
      : `Block format '${driver.formatName}' does not support the option '${name}'`
  throw new BlockError('EINVAL', text)
}
