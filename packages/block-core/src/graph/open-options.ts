/** The options every node has, and what a child takes over from its parent. */

import type { OpenFlags } from '../driver/block-driver.ts'
import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import type { DetectZeroes } from '../node/graph-node.ts'
import type { FlatOptions, OptionScalar } from '../options/schema.ts'
import { commonOptionNames } from './given-options.ts'

/** What a node is given by whoever opens it; its own options win over these. */
export interface Inherited {
  readonly readOnly: boolean
  readonly autoReadOnly: boolean
  readonly unmap: boolean
  readonly direct: boolean
  readonly noFlush: boolean
  readonly forceShare: boolean
  readonly check: boolean
  readonly noIo: boolean
  readonly noBacking: boolean
  readonly allowReadWrite: boolean
  /** No format is probed: the node is wanted as it is. */
  readonly protocol: boolean
}

/** Common options after parsing. */
export interface CommonOptions extends Inherited {
  readonly nodeName: string | undefined
  readonly driver: string | undefined
  readonly detectZeroes: DetectZeroes
  /** Those that were given for this very node, as they were given. */
  readonly given: FlatOptions
  /** What is wrong with options that children take over: it would fail there first, so it is told before they open. */
  readonly inheritedProblem: BlockError | undefined
  /** What is wrong with the others: told when the children are open. */
  readonly ownProblem: BlockError | undefined
}

/**
 * Takes the common options out of `flat`. Problems are kept, since the reference meets others before them.
 *
 * @see spec/block-layer.md, section 6
 */
export function takeCommonOptions(flat: FlatOptions, inherited: Inherited): CommonOptions {
  const shared = new FirstProblem()
  const bool = (name: string, absent: boolean) => shared.unless(() => takeBool(flat, name, absent), absent)
  const given: FlatOptions = new Map([...flat].filter(([name]) => commonOptionNames.includes(name)))
  const readOnly = bool('read-only', inherited.readOnly)
  const flags = {
    readOnly,
    autoReadOnly: bool('auto-read-only', inherited.autoReadOnly),
    direct: bool('cache.direct', inherited.direct),
    noFlush: bool('cache.no-flush', inherited.noFlush),
    forceShare: bool('force-share', inherited.forceShare),
  }
  if (flags.forceShare && !readOnly) {
    shared.add(new BlockError('EINVAL', 'force-share=on can only be used with read-only images'))
  }
  const own = new FirstProblem()
  const unmap = own.unless(() => takeDiscard(flat, inherited.unmap), inherited.unmap)
  const detectZeroes = own.unless(() => takeDetectZeroes(flat, unmap), 'off')
  return {
    ...inherited,
    ...flags,
    unmap,
    detectZeroes,
    nodeName: takeText(flat, 'node-name'),
    driver: takeDriver(flat),
    given,
    inheritedProblem: shared.problem,
    ownProblem: own.problem,
  }
}

/** Keeps the first of several errors. */
class FirstProblem {
  problem: BlockError | undefined

  add(problem: BlockError): void {
    this.problem ??= problem
  }

  /** What `read` gives, or `otherwise` where it fails. */
  unless<T>(read: () => T, otherwise: T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      this.add(error)
      return otherwise
    }
  }
}

/** The flags a driver sees. */
export function openFlags(common: Inherited, probed: boolean): OpenFlags {
  const { check, noIo, unmap, direct, noFlush, forceShare, allowReadWrite, autoReadOnly } = common
  return { check, noIo, unmap, direct, noFlush, forceShare, allowReadWrite, autoReadOnly, probed }
}

/**
 * What a child inherits in its role.
 *
 * @see spec/block-layer.md, section 8
 */
export function inheritedBy(role: number, parent: Inherited, parentIsFormat: boolean): Inherited {
  if ((role & ChildRoles.cow) !== 0) {
    return {
      ...parent,
      readOnly: true,
      autoReadOnly: false,
      unmap: true,
      noBacking: false,
      protocol: false,
      allowReadWrite: true,
    }
  }
  const metadata = (role & ChildRoles.metadata) !== 0
  return {
    ...parent,
    unmap: true,
    noBacking: false,
    noIo: metadata ? false : parent.noIo,
    protocol: parentIsFormat || metadata ? true : (role & ChildRoles.data) !== 0 ? false : parent.protocol,
  }
}

function takeText(flat: FlatOptions, name: string): string | undefined {
  const value = take(flat, name)
  return value === undefined || value === null ? undefined : String(value)
}

/** A `driver` that is no text is as good as none: the format is probed (options.md, section 3). */
function takeDriver(flat: FlatOptions): string | undefined {
  const value = take(flat, 'driver')
  return typeof value === 'string' ? value : undefined
}

function take(flat: FlatOptions, name: string): OptionScalar | undefined {
  const value = flat.get(name)
  flat.delete(name)
  return value
}

/** A boolean option as text or JSON. @throws BlockError `EINVAL` for anything else */
export function takeBool(flat: FlatOptions, name: string, absent: boolean): boolean {
  const value = take(flat, name)
  if (value === undefined) return absent
  if (typeof value === 'boolean') return value
  if (['on', 'yes', 'true', 'y'].includes(String(value))) return true
  if (['off', 'no', 'false', 'n'].includes(String(value))) return false
  throw new BlockError('EINVAL', `Parameter '${name}' expects 'on' or 'off'`)
}

function takeDiscard(flat: FlatOptions, absent: boolean): boolean {
  const value = take(flat, 'discard')
  if (value === undefined) return absent
  if (value === 'unmap' || value === 'on') return true
  if (value === 'ignore' || value === 'off') return false
  throw new BlockError('EINVAL', 'Invalid discard option')
}

function takeDetectZeroes(flat: FlatOptions, unmap: boolean): DetectZeroes {
  const value = take(flat, 'detect-zeroes')
  if (value === undefined || value === 'off') return 'off'
  if (value === 'on') return 'on'
  if (value !== 'unmap') throw new BlockError('EINVAL', `invalid parameter value: ${String(value)}`)
  if (!unmap) {
    throw new BlockError(
      'EINVAL',
      'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap',
    )
  }
  return 'unmap'
}
