/** The name that a node is known by: plain where a plain name reopens the same tree, `json:{…}` otherwise. */

import type { NodeSpec } from '../driver/block-driver.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions, OptionScalar } from '../options/schema.ts'
import { toQemuJson } from '../util/json.ts'
import { backingOverridden } from './backing-chain.ts'

/** A value in the description of a node tree; a list holds children of one kind (quorum). */
type Description = { [key: string]: OptionScalar | Description | Description[] }

/** Longest name in characters; a longer one is cut, as the reference's buffer of 4096 bytes cuts it. */
const filenameMax = 4095

/**
 * `node`'s file name.
 *
 * @see spec/block-layer.md, section 10; spec/options.md, section 3, "Reported names"
 */
export function nodeFilename(node: GraphNode): string {
  const exact = exactFilename(node)
  if (exact !== undefined) return exact
  const name = `json:${toQemuJson(describe(node), { pretty: false })}`
  return name.length > filenameMax ? `${name.slice(0, filenameMax - 3)}...` : name
}

/** The plain name, or `undefined` where there is none. */
export function exactFilename(node: GraphNode): string | undefined {
  const layer = node.liveLayer
  if (layer?.exactFilename !== undefined) return layer.exactFilename()
  if ([...node.strongOptions.keys()].some((key) => key !== 'filename')) return undefined
  if (node.driver.kind === 'protocol') {
    const filename = node.strongOptions.get('filename')
    return filename === undefined ? undefined : String(filename)
  }
  const storage = node.primaryEdge?.node
  if (node.isFilter || storage === undefined || storage.driver.protocolName === undefined) return undefined
  if (showsOtherBacking(node)) return undefined
  return exactFilename(storage)
}

/**
 * One text for all ways to name the same storage, with the window or filter through which it is seen; `undefined` where
 * it has no name at all (memory).
 *
 * @param canonical - follows links and `..`; `undefined` for a file that does not exist
 */
export function storageIdentity(
  node: GraphNode,
  canonical: (filename: string) => string | undefined,
): string | undefined {
  let bottom = node
  for (let edge = bottom.primaryEdge; edge !== undefined; edge = bottom.primaryEdge) bottom = edge.node
  if (exactFilename(bottom) === undefined) return undefined
  const plain = exactFilename(node)
  return plain === undefined ? nodeFilename(node) : (canonical(plain) ?? plain)
}

/** Driver, strong options and children: what it takes to open the same tree again. */
function describe(node: GraphNode): Description {
  const description: Description = { driver: node.driverName }
  for (const [name, value] of node.strongOptions) description[name] = value
  for (const [name, edge] of node.edges) {
    if (edge === node.backingEdge && !showsOtherBacking(node)) continue
    const list = /^(.+)\.\d+$/.exec(name)?.[1]
    if (list === undefined) description[name] = describe(edge.node)
    else description[list] = [...((description[list] as Description[] | undefined) ?? []), describe(edge.node)]
  }
  if (node.backingEdge === undefined && showsOtherBacking(node)) description.backing = null
  return description
}

/** Who only asks for metadata opens no backing files, and is not told that they are missing. */
function showsOtherBacking(node: GraphNode): boolean {
  return !node.flags.noIo && node.driver.supportsBacking === true && backingOverridden(node)
}

/** The strong options among those that a description in code gives. */
export function strongOptionsOfSpec(spec: NodeSpec): FlatOptions {
  const strong: FlatOptions = new Map()
  const values = spec.options as Readonly<Record<string, unknown>>
  for (const [key, row] of Object.entries(
    spec.driver.options as Readonly<Record<string, { name: string; strong?: boolean }>>,
  )) {
    const value = values[key]
    if (row.strong === true || row.name === 'filename') addFlat(strong, row.name, value)
  }
  return strong
}

/** A value of a typed option under the keys that text would give it; children and what is absent have none. */
function addFlat(flat: FlatOptions, name: string, value: unknown): void {
  if (isScalar(value)) flat.set(name, value)
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) addFlat(flat, `${name}.${index}`, item)
  else if (value instanceof Map) for (const [key, member] of value) addFlat(flat, `${name}.${key}`, member)
}

function isScalar(value: unknown): value is OptionScalar {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
}

/** The strong options among those that were given as text; list options by their prefix. */
export function strongOptionsOfFlat(node: GraphNode, flat: FlatOptions): FlatOptions {
  const strong: FlatOptions = new Map()
  const rows = Object.values(node.driver.options as Readonly<Record<string, { name: string; strong?: boolean }>>)
  for (const [name, value] of flat) {
    const row = rows.find((candidate) => name === candidate.name || name.startsWith(`${candidate.name}.`))
    if (row !== undefined && (row.strong === true || row.name === 'filename')) strong.set(name, value)
  }
  return strong
}
