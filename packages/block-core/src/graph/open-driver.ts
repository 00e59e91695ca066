/** Lets a driver open a node: its options, its context, and the cleaning up where it fails. */

import type { AnyDriver } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import { firstInHashOrder, parseTypedOptions } from '../options/typed.ts'
import { closeNode, detach } from './attach.ts'
import { storageFilename } from './backing-chain.ts'
import type { GraphCore } from './graph-core.ts'
import { checkNodeName } from './node-name.ts'
import { NodeOpenContext } from './open-context.ts'
import { type CommonOptions, openFlags } from './open-options.ts'
import type { OpenNode, OpenRequest } from './open-request.ts'
import { isFallback, probeHead } from './probe.ts'
import { nodeFilename, strongOptionsOfFlat, strongOptionsOfSpec } from './refresh-filename.ts'

/** A file child that was opened to look into it. */
export interface OpenedFile {
  readonly file: GraphNode
  readonly probed: boolean
}

/** Opens `driver` on what the request describes; `opened` becomes the child named `file`. */
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
    if (opened !== undefined) refuseLoop(opened.file, request)
    node = makeNode(core, request, common, driver, opened?.probed ?? false)
    await runOpen(node, new NodeOpenContext({ core, open, node, request, common, file: opened?.file }), request)
    return node
  } catch (error) {
    // The file goes with the node that took it; where the driver never came so far it is closed here.
    if (node !== undefined) await abandon(core, node)
    if (opened !== undefined && opened.file.parents.size === 0) await closeNode(core, opened.file)
    throw error
  }
}

function makeNode(
  core: GraphCore,
  request: OpenRequest,
  common: CommonOptions,
  driver: AnyDriver,
  probed: boolean,
): GraphNode {
  if (common.nodeName !== undefined) checkNodeName(common.nodeName, (name) => core.nodes.has(name))
  const node = new GraphNode({
    nodeName: common.nodeName ?? core.names.next(),
    driver,
    readOnly: common.readOnly,
    flags: openFlags(common, probed),
    detectZeroes: common.detectZeroes,
    protocol: common.protocol,
    probed,
  })
  node.inheritsFrom = request.parent
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
  const layer = await node.driver.open(context, parsed.options)
  node.setLayer(layer)
  refuseLeftover(node, parsed.leftover)
  await context.openLateBacking()
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

/** A chain that names itself would be opened for ever. */
function refuseLoop(file: GraphNode, request: OpenRequest): void {
  const name = storageFilename(file)
  if (request.overlays.includes(name)) {
    throw new BlockError('ELOOP', `Backing file '${name}' creates an infinite loop.`)
  }
}

/** Takes back what a failed open has put into the graph; the failure itself is what the caller hears of. */
async function abandon(core: GraphCore, node: GraphNode): Promise<void> {
  node.eject()
  const failures: unknown[] = []
  for (const edge of [...node.edges.values()]) {
    await detach(core, edge).catch((error: unknown) => failures.push(error))
  }
  core.nodes.delete(node.nodeName)
  for (const error of failures) {
    const text = error instanceof Error ? error.message : String(error)
    core.diagnostic({ kind: 'error', text })
  }
}
