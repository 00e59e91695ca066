/** Checks what a reopened node is to become against what it was opened with: most options cannot change. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import { parseTypedOptions } from '../options/typed.ts'
import { hashOrdered } from '../util/json.ts'
import { commonOptionNames, ownOptions, rowOf, wordless } from './given-options.ts'
import { changesItself, changesMode, type ReopenEntry } from './reopen-queue.ts'

/**
 * The checks of one node, in the reference's order.
 *
 * @returns the driver's options as they are to be; `undefined` where none of them is spoken of
 * @throws BlockError `EINVAL` with the reference's words
 * @see spec/block-layer.md, section 28
 */
export function checkReopen(entry: ReopenEntry): object | undefined {
  const { node, keepOld } = entry
  if (!changesItself(entry) && !entry.isNamed) return undefined
  requireBacking(entry)
  if (!keepOld) refuseResets(entry)
  requireModeAllowed(entry)
  requireSupport(node)
  const options = driverOptions(entry)
  refuseChanges(entry)
  return options
}

/** The reference wants to be told about a backing file whenever there could be one: silence would be misread. */
function requireBacking({ node, keepOld, references, described }: ReopenEntry): void {
  if (keepOld || node.driver.supportsBacking !== true || references.has('backing') || described.has('backing')) return
  if (node.backingEdge === undefined && node.backingReference === undefined) return
  throw new BlockError('EINVAL', `backing is missing for '${node.nodeName}'`)
}

function refuseResets({ node, given }: ReopenEntry): void {
  // The reference walks through a copy: keys that share a place in its table have changed their order once more.
  for (const [name] of hashOrdered(hashOrdered(node.givenOptions))) {
    if (given.has(name) || rowOf(node.driver, name)?.mutable === true) continue
    if (commonOptionNames.includes(name) && name !== 'force-share') continue
    throw new BlockError('EINVAL', `Option '${name}' cannot be reset to its default value`)
  }
}

function requireModeAllowed(entry: ReopenEntry): void {
  const { node, common } = entry
  if (!changesMode(entry) || !common.readOnly || node.io.copyOnReadUsers === 0) return
  throw new BlockError('EINVAL', `Can't set node '${node.nodeName}' to r/o with copy-on-read enabled`)
}

function requireSupport(node: GraphNode): void {
  if (node.layer.prepareReopen !== undefined || node.layer.reopen !== undefined) return
  const text = `Block format '${node.driverName}' used by node '${node.nodeName}' does not support reopening files`
  throw new BlockError('EINVAL', text)
}

function driverOptions({ node, keepOld, given, passed }: ReopenEntry): object | undefined {
  const own = ownOptions(node.driver, given)
  if (keepOld && ownOptions(node.driver, passed).size === 0) return undefined
  const { options } = parseTypedOptions(node.driver.options as never, own) as { readonly options: object }
  return { ...wordless(node.driver, node.typedOptions), ...options }
}

/** What cannot change must be what it was, down to the type. */
function refuseChanges({ node, passed }: ReopenEntry): void {
  const now: FlatOptions = new Map([['driver', node.driverName], ['node-name', node.nodeName], ...node.givenOptions])
  for (const [name, value] of hashOrdered(passed)) {
    if (now.get(name) === value || mayChange(node, name)) continue
    throw new BlockError('EINVAL', `Cannot change the option '${name}'`)
  }
}

function mayChange(node: GraphNode, name: string): boolean {
  if (commonOptionNames.includes(name)) return name !== 'force-share'
  return Boolean(rowOf(node.driver, name)?.mutable) && node.layer.prepareReopen !== undefined
}
