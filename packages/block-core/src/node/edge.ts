/** An edge: some parent uses a node under a name, in a role, with permissions. Drivers know it as `Child`. */

import type { Child, ChildRole } from '../driver/child.ts'
import type { BlkdebugEvent } from '../driver/events.ts'
import type { LayerInfo } from '../driver/layer-info.ts'
import type { BlockStatus, IoBuffers, ReadFlags, TruncateOptions, WriteFlags, ZeroFlags } from '../driver/requests.ts'
import { assert } from '../errors.ts'
import { allocatedBytesOf } from '../io/allocated-bytes.ts'
import { blockStatusOf, isZeroFast, readsZero } from '../io/block-status.ts'
import { missingPermissions } from '../io/check-request.ts'
import { deliverEvent } from '../io/debug-event.ts'
import { discardNode } from '../io/discard.ts'
import { flushNode } from '../io/flush.ts'
import { infoOf } from '../io/node-facts.ts'
import { readNode } from '../io/read.ts'
import { truncateNode } from '../io/truncate.ts'
import { bytesIn } from '../io/vectors.ts'
import { writeNode } from '../io/write.ts'
import { writeCompressedNode } from '../io/write-compressed.ts'
import { writeZeroesNode } from '../io/write-zeroes.ts'
import { readsZeroWhenNew } from '../io/zero-init.ts'
import type { EdgeParent, GraphNode, NodeEdge } from './graph-node.ts'
import { type PermissionSet, Permissions, permissionNames } from './permissions.ts'

/** An edge of the graph. */
export class Edge implements Child, NodeEdge {
  readonly name: string
  role: ChildRole
  readonly parent: EdgeParent
  /** What the parent takes and shares now. */
  permissions: PermissionSet = { taken: 0, shared: 15 }
  /** A frozen edge can neither be moved nor removed (a job works on the chain it belongs to). */
  frozen = false
  #node: GraphNode

  constructor(name: string, role: ChildRole, parent: EdgeParent, node: GraphNode) {
    this.name = name
    this.role = role
    this.parent = parent
    this.#node = node
  }

  get node(): GraphNode {
    return this.#node
  }

  /** Points the edge at another node; the graph calls it inside a change that it can undo. */
  move(node: GraphNode): void {
    this.#node.parents.delete(this)
    this.#node = node
    node.parents.add(this)
    this.parent.node?.refreshLimits()
    for (const drain of node.drains) drain.join(this.parent)
    this.parent.moved?.(this)
  }

  get length(): number {
    return this.#node.length
  }

  get info(): LayerInfo {
    return infoOf(this.#node)
  }

  read(offset: number, into: IoBuffers, flags?: ReadFlags): Promise<void> {
    return readNode(this.#node, offset, into, flags)
  }

  write(offset: number, data: IoBuffers, flags: WriteFlags = {}): Promise<void> {
    const bits = flags.unchanged === true ? unchangedBits : Permissions.write
    return this.#missing(bits, offset + bytesIn(data)) ?? writeNode(this.#node, offset, data, flags)
  }

  get canCompress(): boolean {
    return this.#node.layer.writer?.writeCompressed !== undefined
  }

  writeCompressed(offset: number, data: Uint8Array): Promise<void> {
    const missing = this.#missing(Permissions.write, offset + data.length)
    return missing ?? writeCompressedNode(this.#node, offset, data)
  }

  writeZeroes(offset: number, bytes: number, flags: ZeroFlags = {}): Promise<void> {
    const bits = flags.unchanged === true ? unchangedBits : Permissions.write
    // Only a user of the whole disk may unmap a node that was opened without discard=unmap, as in the reference.
    const given = flags.mayUnmap === true && !this.#node.flags.unmap ? { ...flags, mayUnmap: false } : flags
    return this.#missing(bits, offset + bytes) ?? writeZeroesNode(this.#node, offset, bytes, given)
  }

  discard(offset: number, bytes: number): Promise<void> {
    return this.#missing(Permissions.write) ?? discardNode(this.#node, offset, bytes)
  }

  flush(): Promise<void> {
    return flushNode(this.#node)
  }

  truncate(length: number, options: TruncateOptions = {}): Promise<void> {
    return this.#missing(Permissions.resize) ?? truncateNode(this.#node, length, options)
  }

  blockStatus(offset: number, bytes: number, options: { readonly wantZero?: boolean } = {}): Promise<BlockStatus> {
    return blockStatusOf(this.#node, offset, bytes, options.wantZero ?? true)
  }

  isZeroFast(offset: number, bytes: number): Promise<boolean> {
    return isZeroFast(this.#node, offset, bytes)
  }

  readsZero(offset: number, bytes: number): Promise<boolean> {
    return readsZero(this.#node, offset, bytes)
  }

  allocatedBytes(): Promise<number | undefined> {
    return allocatedBytesOf(this.#node)
  }

  hasZeroInit(): Promise<boolean> {
    return readsZeroWhenNew(this.#node)
  }

  debugEvent(event: BlkdebugEvent): Promise<void> {
    return deliverEvent(this.#node, event)
  }

  /** Drivers take what they need before they ask: a missing permission is a bug of theirs, and a rejection. */
  #missing(bits: number, end = 0): Promise<void> | undefined {
    const node = this.#node
    if (!node.ejected && missingPermissions(node, this.permissions.taken, bits, end) !== 0) {
      return refused(this, bits, end)
    }
    return undefined
  }
}

async function refused(edge: NodeEdge, bits: number, end: number): Promise<void> {
  const names = permissionNames(missingPermissions(edge.node, edge.permissions.taken, bits, end))
  assert(false, `the '${edge.name}' edge to '${edge.node.nodeName}' has no '${names}' permission`)
}

/** One of these allows a write that changes nothing. */
const unchangedBits = Permissions.write | Permissions.writeUnchanged
