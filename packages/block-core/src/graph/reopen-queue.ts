/** Plans a reopening: which nodes it takes, and what each of them is to become. Nothing is changed here. */

import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { extractPrefix } from '../options/child-options.ts'
import type { FlatOptions } from '../options/schema.ts'
import { childOptionNames, commonOptionNames, rowOf } from './given-options.ts'
import { type CommonOptions, type Inherited, inheritedBy, takeCommonOptions } from './open-options.ts'

/** One node, and the options it is to have. */
export interface ReopenRequest {
  readonly node: GraphNode
  /** Its own options and those of its children, flat. */
  readonly options: FlatOptions
  /** What is not given stays as it is; otherwise it goes back to its default. */
  readonly keepOld: boolean
}

/** What one node is to become. */
export interface ReopenEntry {
  readonly node: GraphNode
  /** The user named it; others only follow their parents. */
  readonly isNamed: boolean
  readonly keepOld: boolean
  /** Own options that were passed now, driver and node name included. */
  readonly passed: FlatOptions
  /** Own options as they are to be remembered: passed ones, and old ones that are kept. */
  readonly given: FlatOptions
  /** Children that are given by name; `null`: none. */
  readonly references: ReadonlyMap<string, string | null>
  /** Children that are described option by option. */
  readonly described: ReadonlySet<string>
  readonly common: CommonOptions
  /** Names of the common options that it has by being given or handed down, not by default. */
  readonly spoken: ReadonlySet<string>
}

/**
 * The nodes of a reopening, parents before their children: those that are named, and the children opened with them.
 *
 * @throws BlockError `EINVAL` for a common option that does not parse
 * @see spec/block-layer.md, section 28
 */
export function reopenQueue(requests: readonly ReopenRequest[]): ReopenEntry[] {
  const named = new Map(requests.map((request) => [request.node, request]))
  const entries = new Map<GraphNode, ReopenEntry>()
  const add = (request: ReopenRequest, inherited: Inherited, above?: ReopenEntry): void => {
    const entry = entryOf(request, inherited, { isNamed: named.has(request.node), above })
    // A node named on its own, and by its parent, comes after the parent, whose options it may take over.
    entries.delete(request.node)
    entries.set(request.node, entry)
    for (const edge of request.node.edges.values()) {
      const child = childRequest(entry, request, edge)
      if (child === undefined) continue
      add(named.get(edge.node) ?? child, passedDown(entry, edge), entry)
    }
  }
  for (const request of named.values()) {
    if (!isFollower(request.node, named))
      add(request, request.keepOld ? effective(request.node) : defaults(request.node))
  }
  return [...entries.values()]
}

/**
 * What a child takes over. One that its parent names keeps what it has, but for what the parent speaks of itself: the
 * reference hands down options, not what they come to.
 */
function passedDown({ node, common, spoken, references }: ReopenEntry, edge: NodeEdge): Inherited {
  const inherited = inheritedBy(edge.role, common, node.driver.kind === 'format')
  if (!references.has(edge.name)) return inherited
  const kept = effective(edge.node)
  const isBacking = (edge.role & ChildRoles.cow) !== 0
  const said = (option: string) => spoken.has(option) || (isBacking && option.endsWith('read-only'))
  return {
    ...inherited,
    readOnly: said('read-only') ? inherited.readOnly : kept.readOnly,
    autoReadOnly: said('auto-read-only') ? inherited.autoReadOnly : kept.autoReadOnly,
    direct: said('cache.direct') ? inherited.direct : kept.direct,
    noFlush: said('cache.no-flush') ? inherited.noFlush : kept.noFlush,
    forceShare: said('force-share') ? inherited.forceShare : kept.forceShare,
  }
}

/** A node whose opener is reopened as well is planned with that one. */
function isFollower(node: GraphNode, named: ReadonlyMap<GraphNode, ReopenRequest>): boolean {
  const opener = node.inheritsFrom
  if (opener === undefined || ![...node.parents].some((edge) => edge.parent.node === opener)) return false
  const request = named.get(opener)
  if (request === undefined) return isFollower(opener, named)
  return [...node.parents].some((edge) => edge.parent.node === opener && followsReference(request, edge))
}

function entryOf(
  { node, options, keepOld }: ReopenRequest,
  inherited: Inherited,
  { isNamed, above }: { readonly isNamed: boolean; readonly above: ReopenEntry | undefined },
): ReopenEntry {
  const passed: FlatOptions = new Map(options)
  const references = new Map<string, string | null>()
  const described = new Set<string>()
  for (const name of childNames(node)) {
    // What describes a child that has another opener stays, and is refused: it would change nothing.
    const isInline = node.edges.get(name)?.node.inheritsFrom === node
    if (isInline && extractPrefix(passed, `${name}.`).size > 0) described.add(name)
    const value = passed.get(name)
    if (value !== null && typeof value !== 'string') continue
    references.set(name, value)
    passed.delete(name)
  }
  const given: FlatOptions = new Map(keepOld ? [...keptOptions(node, passed), ...passed] : passed)
  const common = takeCommonOptions(new Map(given), inherited)
  if (common.inheritedProblem !== undefined) throw common.inheritedProblem
  if (common.ownProblem !== undefined) throw common.ownProblem
  // What could not be written when it was opened is not tried again behind its driver's back.
  const readOnly = common.readOnly || (node.degraded && common.autoReadOnly)
  const spoken = new Set(keepOld ? commonOptionNames : [...common.given.keys(), ...(above?.spoken ?? [])])
  for (const name of ['driver', 'node-name']) given.delete(name)
  return { node, isNamed, keepOld, passed, given, references, described, spoken, common: { ...common, readOnly } }
}

/** What was given before, but for what is replaced now. */
function keptOptions(node: GraphNode, passed: FlatOptions): FlatOptions {
  const kept: FlatOptions = new Map(node.givenOptions)
  for (const name of passed.keys()) {
    for (const replaced of rowOf(node.driver, name)?.replaces ?? []) kept.delete(replaced)
  }
  return kept
}

/** Names under which options of children may stand. */
function childNames(node: GraphNode): Set<string> {
  return new Set([...childOptionNames(node.driver), ...node.edges.keys(), 'backing'])
}

/** A child that was opened with its parent goes with it; `undefined` for one that does not. */
function childRequest(entry: ReopenEntry, request: ReopenRequest, edge: NodeEdge): ReopenRequest | undefined {
  if (edge.node.inheritsFrom !== entry.node || !followsReference(request, edge)) return undefined
  const options = extractPrefix(new Map(request.options), `${edge.name}.`)
  // Named, or not spoken of: the child keeps its own options, and only what it takes over may change.
  return { node: edge.node, options, keepOld: entry.keepOld || options.size === 0 }
}

/** The parent still has this child: it says nothing of it, describes it, or names it. */
function followsReference({ options }: ReopenRequest, edge: NodeEdge): boolean {
  const reference = options.get(edge.name)
  return reference === undefined || reference === edge.node.nodeName
}

/** What a node has now, however it came by it. */
function effective(node: GraphNode): Inherited {
  return { ...node.flags, readOnly: node.readOnly, noBacking: false, protocol: node.protocol }
}

/** What a node has that is given nothing. */
function defaults(node: GraphNode): Inherited {
  const off = { readOnly: false, autoReadOnly: false, unmap: false, direct: false, noFlush: false, forceShare: false }
  return { ...effective(node), ...off }
}

/** Whether anything of the node changes but its children. */
export function changesItself({ node, common, passed, keepOld }: ReopenEntry): boolean {
  const own = [...passed.keys()].some((name) => !commonOptionNames.includes(name))
  return !keepOld || own || changesMode({ node, common }) || changesFlags({ node, common })
}

/** Whether the node switches between read-only and writable. */
export function changesMode({ node, common }: Pick<ReopenEntry, 'node' | 'common'>): boolean {
  return node.readOnly !== common.readOnly
}

function changesFlags({ node, common }: Pick<ReopenEntry, 'node' | 'common'>): boolean {
  const { autoReadOnly, unmap, direct, noFlush } = node.flags
  const flags = autoReadOnly !== common.autoReadOnly || unmap !== common.unmap
  return flags || direct !== common.direct || noFlush !== common.noFlush || node.detectZeroes !== common.detectZeroes
}

/**
 * The node that becomes a child of the entry's node, by the edge's name; an entry for each child that is given by name.
 *
 * @throws BlockError `EINVAL` where there is no such node, or where the reference is one that cannot change
 */
export function newChildren(
  entry: ReopenEntry,
  find: (nodeName: string) => GraphNode | undefined,
): Map<string, GraphNode | undefined> {
  const { node } = entry
  const children = new Map<string, GraphNode | undefined>()
  for (const [name, reference] of entry.references) {
    const current = node.edges.get(name)?.node
    if (reference === (current?.nodeName ?? null)) continue
    const isBacking = name === 'backing'
    if (!isBacking && (name !== 'file' || current === undefined || reference === null)) {
      throw new BlockError('EINVAL', `Cannot change the option '${name}'`)
    }
    if (isBacking && node.isFilter) {
      const text = `'${node.nodeName}' is a ${node.driverName} filter node that does not support a ${name} child`
      throw new BlockError('EINVAL', text)
    }
    if (current?.implicit === true) {
      throw new BlockError('EPERM', `Cannot replace implicit ${name} child of ${node.nodeName}`)
    }
    children.set(name, reference === null ? undefined : existing(reference, find))
  }
  return children
}

function existing(nodeName: string, find: (nodeName: string) => GraphNode | undefined): GraphNode {
  const node = find(nodeName)
  if (node === undefined || node.opening) {
    throw new BlockError('EINVAL', `Cannot find device='' nor node-name='${nodeName}'`)
  }
  return node
}
