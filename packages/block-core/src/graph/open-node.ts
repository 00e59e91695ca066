/** Opens a node from a name, from options, or from a description in code; settles driver and format. */

import type { AnyDriver, NodeSpec } from '../driver/block-driver.ts'
import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { extractPrefix } from '../options/child-options.ts'
import { protocolPrefix } from '../options/filename.ts'
import { parseJsonFilename } from '../options/json-filename.ts'
import type { FlatOptions } from '../options/schema.ts'
import { hashOrdered } from '../util/json.ts'
import { closeUnused } from './attach.ts'
import type { GraphCore } from './graph-core.ts'
import { openDriver } from './open-driver.ts'
import { type CommonOptions, inheritedBy, takeCommonOptions } from './open-options.ts'
import type { OpenRequest } from './open-request.ts'
import { probeFormat } from './probe.ts'

/**
 * Opens a node. It has no users yet: the caller attaches it or closes it.
 *
 * @throws BlockError with the inner message; callers put `Could not open '<name>': ` in front
 * @see spec/block-layer.md, section 6
 */
export async function openNode(core: GraphCore, request: OpenRequest): Promise<GraphNode> {
  request.signal?.throwIfAborted()
  if (request.spec !== undefined) return openSpec(core, request, request.spec)
  const { filename, flat } = unpackJson(request)
  const common = takeCommonOptions(flat, request.inherited)
  const explicit = common.driver === undefined ? undefined : core.driverNamed(common.driver)
  if (common.inheritedProblem !== undefined) throw common.inheritedProblem
  const protocol = explicit === undefined ? common.protocol : isProtocol(explicit)
  const settled = { ...request, filename, flat }
  return protocol ? openProtocol(core, settled, common, explicit) : openFormat(core, settled, common, explicit)
}

interface SettledRequest extends OpenRequest {
  readonly filename: string | undefined
  readonly flat: FlatOptions
}

function isProtocol(driver: AnyDriver): boolean {
  return driver.kind === 'protocol' || driver.protocolName !== undefined
}

/**
 * `json:` names become options; what was given beside the name wins. The options are copied as the reference copies
 * them: keys that fall together in its hash table change places, which shows in `json:` names.
 */
function unpackJson({ filename, flat = new Map() }: OpenRequest): { filename: string | undefined; flat: FlatOptions } {
  if (filename === undefined || !filename.startsWith('json:')) return { filename, flat: new Map(hashOrdered(flat)) }
  const merged: FlatOptions = new Map(flat)
  for (const [name, value] of hashOrdered(parseJsonFilename(filename))) {
    if (!flat.has(name)) merged.set(name, value)
  }
  return { filename: undefined, flat: new Map(hashOrdered(merged)) }
}

function openSpec(core: GraphCore, request: OpenRequest, spec: NodeSpec): Promise<GraphNode> {
  const flat: FlatOptions = new Map(Object.entries(spec.common ?? {}))
  if (spec.nodeName !== undefined) flat.set('node-name', spec.nodeName)
  if (spec.readOnly !== undefined) flat.set('read-only', spec.readOnly)
  const common = takeCommonOptions(flat, request.inherited)
  if (common.inheritedProblem !== undefined) throw common.inheritedProblem
  const backing = request.backing === undefined ? spec.backing : request.backing
  return openDriver(core, openNode, { ...request, flat, spec, backing }, common, spec.driver)
}

function openProtocol(
  core: GraphCore,
  request: SettledRequest,
  common: CommonOptions,
  explicit: AnyDriver | undefined,
): Promise<GraphNode> {
  const { filename, flat } = request
  // As with children: any other value than a text is no name at all.
  if (filename === undefined && explicit === undefined && typeof flat.get('filename') !== 'string') {
    throw new BlockError('EINVAL', 'Must specify either driver or file')
  }
  if (filename !== undefined && flat.has('filename')) {
    throw new BlockError('EINVAL', "Can't specify 'file' and 'filename' options at the same time")
  }
  const driver = explicit ?? core.protocolFor(filename ?? String(flat.get('filename')), filename !== undefined)
  if (filename !== undefined) for (const [name, value] of parseName(driver, filename)) flat.set(name, value)
  const named = flat.get('filename')
  if (driver.needsFilename === true && (typeof named !== 'string' || named === '')) {
    throw new BlockError('EINVAL', `The '${driver.formatName}' block driver requires a file name`)
  }
  return openDriver(core, openNode, request, { ...common, protocol: true }, driver)
}

function parseName(driver: AnyDriver, filename: string): FlatOptions {
  if (driver.parseFilename !== undefined) return driver.parseFilename(filename)
  const own = driver.protocolName !== undefined && protocolPrefix(filename) === driver.protocolName
  return new Map([['filename', own ? filename.slice(driver.protocolName.length + 1) : filename]])
}

async function openFormat(
  core: GraphCore,
  request: SettledRequest,
  common: CommonOptions,
  explicit: AnyDriver | undefined,
): Promise<GraphNode> {
  const { filename, flat } = request
  // Any other value than a name is no child at all.
  if (flat.has('file') && typeof flat.get('file') !== 'string') flat.delete('file')
  const described = flat.has('file') || [...flat.keys()].some((name) => name.startsWith('file.'))
  if (explicit === undefined && filename === undefined && !described) {
    throw new BlockError('EINVAL', 'Must specify either driver or file')
  }
  if (filename === undefined && !described && explicit !== undefined) {
    return openDriver(core, openNode, request, common, explicit)
  }
  const isInline = !flat.has('file')
  // Before the driver, also where that is known: what is wrong with the file is told first.
  const file = await openFileChild(core, request, common, filename)
  let driver: AnyDriver
  try {
    driver = explicit ?? (await probeFormat(core, file))
  } catch (error) {
    await closeUnused(core, file)
    throw error
  }
  return openDriver(core, openNode, request, common, driver, { file, probed: explicit === undefined, isInline })
}

function openFileChild(
  core: GraphCore,
  request: SettledRequest,
  common: CommonOptions,
  filename: string | undefined,
): Promise<GraphNode> {
  const { flat } = request
  const reference = flat.get('file')
  flat.delete('file')
  const options = extractPrefix(flat, 'file.')
  if (reference !== undefined) {
    if (filename !== undefined || options.size > 0) {
      const text = 'Cannot reference an existing block device with additional options or a new filename'
      throw new BlockError('EINVAL', text)
    }
    return Promise.resolve(core.nodeByReference(String(reference)))
  }
  const inherited = inheritedBy(ChildRoles.image, common, true)
  return openNode(core, { filename, flat: options, inherited, overlays: request.overlays, signal: request.signal })
}
