/** Opens the backing file of an image: the one that it records, or what the user put in its place. */

import type { NodeSpec } from '../driver/block-driver.ts'
import { ChildRoles } from '../driver/child.ts'
import type { BackingReference } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { extractPrefix } from '../options/child-options.ts'
import type { FlatOptions } from '../options/schema.ts'
import { nameBeside } from './directory.ts'
import type { GraphCore } from './graph-core.ts'
import { askPolicy } from './implicit-open.ts'
import { type CommonOptions, type Inherited, inheritedBy } from './open-options.ts'
import type { OpenNode, OpenRequest } from './open-request.ts'

/** Options `backing` and `backing.*` as the user gave them. */
export interface BackingOptions {
  /** The user wants none. */
  readonly none: boolean
  /** Name of an open node. */
  readonly reference: string | undefined
  readonly options: FlatOptions
}

/**
 * Takes `backing` and `backing.*` out of `flat`. What contradicts the rest stays there, and is refused as unknown.
 *
 * @param unwanted - no backing file will be opened, whatever the options say
 * @param warn - told of the deprecated empty string
 */
export function takeBackingOptions(
  flat: FlatOptions,
  unwanted: boolean,
  warn: (message: string) => void,
): BackingOptions {
  const value = flat.get('backing')
  if (value === null || value === '') {
    flat.delete('backing')
    if (value === '') warn('Use of "backing": "" is deprecated; use "backing": null instead')
    return { none: true, reference: undefined, options: new Map() }
  }
  if (unwanted) return { none: true, reference: undefined, options: new Map() }
  const reference = typeof value === 'string' ? value : undefined
  if (reference !== undefined) flat.delete('backing')
  return { none: false, reference, options: extractPrefix(flat, 'backing.') }
}

/** Who wants a backing file. */
export interface BackingRequest {
  readonly core: GraphCore
  readonly open: OpenNode
  readonly node: GraphNode
  readonly request: OpenRequest
  readonly common: CommonOptions
  readonly given: BackingOptions
  /** Names of the images above, this one included. */
  readonly overlays: readonly string[]
}

/**
 * The backing file's node; `undefined` where there is none.
 *
 * @throws BlockError `Could not open backing file: …`; or why the recorded name cannot be resolved
 * @see spec/block-layer.md, section 25.1; spec/options.md, section 4
 */
export async function openBacking(
  backing: BackingRequest,
  recorded: BackingReference | undefined,
): Promise<GraphNode | undefined> {
  const { core, node, request, given } = backing
  const open: OpenNode = (graph, wanted) => asBacking(() => backing.open(graph, wanted))
  const base = { ...childRequest(backing), overlays: backing.overlays }
  // Whether the open backing file is the recorded one is later asked by comparing names.
  node.implicitBackingFilename = recorded?.filename
  if (request.backing !== undefined && request.backing !== null) return open(core, { ...base, spec: request.backing })
  if (given.reference !== undefined) {
    const { reference, options } = given
    return asBacking(async () => {
      if (options.size === 0) return core.nodeByReference(reference)
      const text = 'Cannot reference an existing block device with additional options or a new filename'
      throw new BlockError('EINVAL', text)
    })
  }
  const options: FlatOptions = new Map(given.options)
  const named = options.has('file.filename') ? undefined : recorded
  if (named === undefined && options.size === 0) return undefined
  const filename = named === undefined ? undefined : await allowedName(backing, named)
  if (typeof filename === 'object') return open(core, { ...base, spec: filename })
  if (recorded?.format !== undefined && !options.has('driver')) options.set('driver', recorded.format)
  const child = await open(core, { ...base, filename, flat: options })
  if (given.options.size === 0) node.implicitBackingFilename = child.filename
  return child
}

function childRequest({ node, request, common }: BackingRequest): {
  readonly inherited: Inherited
  readonly signal: AbortSignal | undefined
  readonly parent: GraphNode
} {
  const inherited = inheritedBy(ChildRoles.cow, common, node.driver.kind === 'format')
  return { inherited, signal: request.signal, parent: node }
}

/** Puts into the words of what fails that it was the backing file. */
async function asBacking<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw error instanceof BlockError ? error.prepend('Could not open backing file: ') : error
  }
}

/** The name to open, or the node that the graph's owner gives in its place. */
async function allowedName(backing: BackingRequest, recorded: BackingReference): Promise<string | NodeSpec> {
  const { core, node } = backing
  let filename = recorded.filename
  let unresolved: unknown
  try {
    filename = nameBeside(node, recorded.filename)
  } catch (error) {
    // An image without a place of its own: only the graph's owner may know what the name means.
    unresolved = error
  }
  const reference = { role: 'backing', filename, format: recorded.format, referrer: node } as const
  const verdict = await asBacking(() => askPolicy(core.implicitOpen, reference))
  if (verdict !== 'allow') return verdict
  if (unresolved !== undefined) throw unresolved
  return filename
}
