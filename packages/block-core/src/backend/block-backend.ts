/** The user's handle on a node: guest I/O, maintenance, and the permissions that go with it. */

import type { BlockLayer, CheckOptions, CheckResult } from '../driver/block-layer.ts'
import type { LayerInfo } from '../driver/layer-info.ts'
import type { BlockNode } from '../driver/node-view.ts'
import type { BlockStatus, IoBuffers, ReadFlags, TruncateOptions, WriteFlags, ZeroFlags } from '../driver/requests.ts'
import { BlockError } from '../errors.ts'
import { attachUser, detach } from '../graph/attach.ts'
import { Failures } from '../graph/failures.ts'
import type { GraphCore } from '../graph/graph-core.ts'
import { setEdgePermissions } from '../graph/permission-update.ts'
import { isAllocated } from '../io/chain-walk.ts'
import { checkRange, missingPermissions } from '../io/check-request.ts'
import { discardNode } from '../io/discard.ts'
import { flushNode } from '../io/flush.ts'
import { emptyNode } from '../io/make-empty.ts'
import { makeZeroNode } from '../io/make-zero.ts'
import { infoOf } from '../io/node-facts.ts'
import { copiesOnRead, readNode } from '../io/read.ts'
import { truncateNode } from '../io/truncate.ts'
import { vmStateSupport } from '../io/vm-state.ts'
import { bytesIn } from '../io/vectors.ts'
import { writeNode } from '../io/write.ts'
import { writeCompressedNode } from '../io/write-compressed.ts'
import { writeZeroesNode } from '../io/write-zeroes.ts'
import { type EdgeParent, type GraphNode, graphNode, type NodeEdge } from '../node/graph-node.ts'
import { type PermissionSet, Permissions } from '../node/permissions.ts'
import { closeByDisposal } from '../util/async-dispose.ts'
import { blockStatus, type Extent, mapRuns } from './map.ts'
import { RequestGate } from './request-gate.ts'

/** How a backend uses its node. */
export interface BackendOptions {
  readonly permissions: PermissionSet
  /** Every write is durable when it returns (cache modes `writethrough` and `directsync`). */
  readonly writeThrough?: boolean
  /** Child name in permission messages; default `root`. */
  readonly name?: string
  /** Whom messages name; default `block device '<device>'`, or `an unnamed block device`. */
  readonly description?: string
  /** Makes it a device that others can refer to by this name; devices and nodes share one namespace. */
  readonly device?: string
  /** A block job uses the node: it stays with it when the node is replaced. */
  readonly isJob?: boolean
  /** Requests go on while the node is drained: only for owners that stop by themselves (jobs). */
  readonly ignoreDrain?: boolean
  /** Requests in flight at most; more wait in the order in which they came. Default `inFlightDefault`. */
  readonly maxInFlight?: number
  /** Called when the node has another length now. */
  readonly onResize?: () => void
}

/**
 * A user of a node. Close it: closing flushes, and reports what failed.
 *
 * @see QEMU 7.2 block/block-backend.c
 */
export class BlockBackend implements AsyncDisposable {
  static {
    closeByDisposal(BlockBackend.prototype)
  }

  readonly #core: GraphCore
  readonly #options: BackendOptions
  #edge: NodeEdge | undefined
  readonly #gate: RequestGate
  #permissions: PermissionSet
  #writeThrough: boolean
  /** How many truncates hold the permission to resize. */
  #resizing = 0
  #closing: Promise<void> | undefined

  /** Made by `graph.open` and `graph.backend`. @throws BlockError where the permissions cannot be had */
  constructor(core: GraphCore, node: GraphNode, options: BackendOptions) {
    this.#core = core
    this.#options = options
    this.#permissions = options.permissions
    this.#writeThrough = options.writeThrough === true
    this.#gate = new RequestGate(options)
    const parent: EdgeParent = {
      ...identity(options),
      node: undefined,
      quiesce: () => this.#gate.quiesce(),
      unquiesce: () => this.#gate.unquiesce(),
      resized: () => options.onResize?.(),
    }
    if (options.device !== undefined) core.addDevice(options.device, () => this.#root)
    try {
      this.#edge = attachUser(parent, options.name ?? 'root', node, options.permissions)
    } catch (error) {
      if (options.device !== undefined) core.devices.delete(options.device)
      throw error
    }
    core.users.add(this)
  }

  get #root(): GraphNode {
    if (this.#edge === undefined) throw BlockError.fromErrno('ENOMEDIUM')
    return this.#edge.node
  }

  /** The node used now; a completed commit or mirror may have put another one in its place. */
  get root(): BlockNode {
    return this.#root
  }

  /** Bytes. */
  get length(): number {
    return this.#root.length
  }

  /** What the format says about itself. */
  get info(): LayerInfo {
    return infoOf(this.#root)
  }

  /**
   * Fills `into` from guest offset `offset`: the whole request or an error, never a short read.
   *
   * @throws BlockError `EIO` past the end of the device, `EPERM` for copies that this user may not write, or what the
   *   driver reports
   */
  read(offset: number, into: IoBuffers, flags?: ReadFlags): Promise<void> {
    if (flags === undefined && this.#gate.isFree) return this.#readNow(offset, into)
    return this.#request(offset, bytesIn(into), 0, (node) => {
      if (flags?.copyOnRead === true && copiesOnRead(node, flags)) this.#require(node, unchangedBits)
      return readNode(node, offset, into, flags)
    })
  }

  /** @throws BlockError `EIO` past the end of the device, `EPERM` on a read-only node, or what the driver reports */
  write(offset: number, data: IoBuffers, flags: WriteFlags = {}): Promise<void> {
    const fua = flags.fua === true || this.#writeThrough
    const given = fua === (flags.fua === true) ? flags : { ...flags, fua }
    const needed = flags.unchanged === true ? unchangedBits : Permissions.write
    return this.#request(offset, bytesIn(data), needed, (node) => writeNode(node, offset, data, given))
  }

  /**
   * Writes whole clusters compressed; an empty write ends a series.
   *
   * @throws BlockError as `write` does; `ENOTSUP` where the format cannot compress
   */
  writeCompressed(offset: number, data: Uint8Array): Promise<void> {
    const fua = this.#writeThrough
    return this.#request(offset, data.length, Permissions.write, (node) => writeCompressedNode(node, offset, data, fua))
  }

  /** @throws BlockError as `write` does; `ENOTSUP` with `noFallback` where it would take a data write */
  writeZeroes(offset: number, bytes: number, flags: ZeroFlags = {}): Promise<void> {
    const fua = flags.fua === true || this.#writeThrough
    const needed = flags.unchanged === true ? unchangedBits : Permissions.write
    return this.#request(offset, bytes, needed, (node) => writeZeroesNode(node, offset, bytes, { ...flags, fua }))
  }

  /** Makes the whole device read as zeroes, without writing where it does already. @throws BlockError as `writeZeroes` does */
  makeZero(flags: ZeroFlags = {}): Promise<void> {
    return this.#request(0, 0, Permissions.write, (node) => makeZeroNode(node, flags))
  }

  /** Advisory: what cannot be discarded stays. */
  discard(offset: number, bytes: number): Promise<void> {
    return this.#request(offset, bytes, Permissions.write, (node) => discardNode(node, offset, bytes))
  }

  /**
   * Reads machine state, which lies apart from the disk.
   *
   * @param offset - in the state
   * @throws BlockError `ENOTSUP` where nothing below keeps any
   */
  readVmState(offset: number, into: Uint8Array): Promise<void> {
    return this.#request(0, 0, 0, async (node) => vmStateSupport(node).readVmState(offset, into))
  }

  /** Writes machine state, which goes with the next snapshot. @throws BlockError as `readVmState`, `EPERM` as `write` */
  writeVmState(offset: number, data: Uint8Array): Promise<void> {
    return this.#request(0, 0, Permissions.write, async (node) => {
      await vmStateSupport(node).writeVmState(offset, data)
      node.writeGeneration++
      if (this.#writeThrough) await flushNode(node)
    })
  }

  /** Makes all writes that have returned durable. */
  flush(): Promise<void> {
    return this.#request(0, 0, 0, (node) => flushNode(node))
  }

  /** @throws BlockError with the reference's messages; `options.signal.reason`, and the length is what it was */
  truncate(length: number, options: Omit<TruncateOptions, 'zeroNewArea'> = {}): Promise<void> {
    return this.#request(0, 0, 0, (node) => this.whileResizing(() => truncateNode(node, length, options)))
  }

  /**
   * Runs `change` while this user holds the permission to resize: for changes that are no single request.
   *
   * @throws BlockError `EPERM` where another user does not allow it, or what `change` throws
   */
  async whileResizing<T>(change: () => Promise<T>): Promise<T> {
    this.#resizing++
    try {
      this.#updatePermissions()
      return await change()
    } finally {
      this.#resizing--
      this.#updatePermissions()
    }
  }

  /** What this user takes and shares, apart from a resize under way. */
  get permissions(): PermissionSet {
    return this.#permissions
  }

  /**
   * Takes or gives back permissions while the node is open: before a reopening that they would forbid, for instance.
   *
   * @throws BlockError `EPERM` `Block node is read-only`, or the conflict or lock message; nothing has changed then
   */
  setPermissions(permissions: PermissionSet): void {
    const before = this.#permissions
    this.#permissions = permissions
    try {
      this.#updatePermissions()
    } catch (error) {
      this.#permissions = before
      throw error
    }
  }

  /** Whether every write is durable when it returns. */
  get writeThrough(): boolean {
    return this.#writeThrough
  }

  set writeThrough(on: boolean) {
    this.#writeThrough = on
  }

  /** Holds the permission to resize from the beginning of the first truncate to the end of the last. */
  #updatePermissions(): void {
    const { taken, shared } = this.#permissions
    const needed = this.#resizing > 0 ? taken | Permissions.resize : taken
    if (this.#edge === undefined) return
    const held = this.#edge.permissions
    if (held.taken !== needed || held.shared !== shared) {
      setEdgePermissions(this.#edge, { taken: needed, shared })
    }
  }

  /** Whether the node itself, not its backing file, determines the content at `offset`, and for how many bytes. */
  isAllocated(offset: number, bytes: number): Promise<{ readonly allocated: boolean; readonly bytes: number }> {
    return this.#request(0, 0, 0, async (node) => {
      checkRange(offset, 0)
      return isAllocated(node, offset, bytes)
    })
  }

  /** Status of the run at `offset`, looked up through the whole chain. */
  blockStatus(offset: number, bytes: number): Promise<BlockStatus & Extent> {
    return this.#request(0, 0, 0, async (node) => {
      checkRange(offset, 0)
      return blockStatus(node, offset, bytes)
    })
  }

  /**
   * Extents of the device in order, from the whole backing chain; neighbours of one kind are merged.
   *
   * @example
   * for await (const extent of disk.map()) console.log(extent.start, extent.bytes, extent.data)
   */
  map(offset = 0, bytes: number = Number.POSITIVE_INFINITY): AsyncIterable<Extent> {
    return mapRuns((at, rest) => this.blockStatus(at, rest), offset, bytes)
  }

  /** @throws BlockError `ENOTSUP` where the format has no check, or what kept the check from being done */
  check(options: CheckOptions = {}): Promise<CheckResult> {
    return this.#request(0, 0, 0, (node) => {
      const { checker } = node.layer
      if (checker === undefined) throw new BlockError('ENOTSUP', 'This image format does not support checks')
      return checker.check(options)
    })
  }

  /**
   * Deallocates everything in the node, so that its backing file shows through.
   *
   * @throws BlockError `ENOTSUP` where the format cannot; `Failed to empty <filename>: …`
   */
  makeEmpty(): Promise<void> {
    return this.#request(0, 0, 0, emptyNode)
  }

  /**
   * Flushes and lets go of the node; a node without users is closed. Closing again only waits for the first close.
   *
   * @throws what flushing or closing met; to the first caller only
   */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing
    const closed = this.#close()
    this.#closing = closed.catch(() => {})
    return closed
  }

  async #close(): Promise<void> {
    const edge = this.#edge
    this.#edge = undefined
    const failures = new Failures()
    await failures.attempt(() => this.#finishRequests(edge?.node.liveLayer))
    if (edge !== undefined) await failures.attempt(() => detach(this.#core, edge))
    this.#core.users.delete(this)
    if (this.#options.device !== undefined) this.#core.devices.delete(this.#options.device)
    failures.throwFirst(this.#core)
  }

  /** As in a drained section, what the driver holds back is let go of: closing does not take as long as a limit says. */
  async #finishRequests(layer: BlockLayer | undefined): Promise<void> {
    const idle = this.#gate.close()
    if (this.#gate.inFlight === 0 || layer?.drainBegin === undefined) return idle
    try {
      await layer.drainBegin()
    } finally {
      await idle
      layer.drainEnd?.()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Every request's way in: the order of checks is the reference's.
   *
   * @param needed - permission bits of which one is enough; 0 for none
   */
  #request<T>(offset: number, bytes: number, needed: number, run: (node: GraphNode) => Promise<T>): Promise<T> {
    return this.#gate.through(() => {
      const node = this.#rootFor(offset, bytes)
      if (needed !== 0) this.#require(node, needed)
      return run(node)
    })
  }

  /** As `#request` for the commonest one, which nothing holds up: what it does besides reading would cost as much. */
  #readNow(offset: number, into: IoBuffers): Promise<void> {
    let reading: Promise<void>
    try {
      reading = readNode(this.#rootFor(offset, bytesIn(into)), offset, into)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#gate.follow(reading)
  }

  /** The node, for a request that lies within it. @throws BlockError `EIO` */
  #rootFor(offset: number, bytes: number): GraphNode {
    const node = this.#root
    // Past the end: also what is too far away to be counted.
    if (!(offset + bytes <= node.layer.length || offset + bytes <= node.length)) throw BlockError.fromErrno('EIO')
    checkRange(offset, bytes)
    return node
  }

  /** @throws BlockError `EPERM` where this user did not take the permission */
  #require(node: GraphNode, bits: number): void {
    const taken = this.#edge?.permissions.taken ?? 0
    if (missingPermissions(node, taken, bits) !== 0) throw BlockError.fromErrno('EPERM')
  }
}

/** One of these allows a write that changes nothing. */
const unchangedBits = Permissions.write | Permissions.writeUnchanged

/** Whom a backend stands for. */
function identity({ description, device, isJob }: BackendOptions): Omit<EdgeParent, 'node'> {
  const name = device === undefined ? 'an unnamed block device' : `block device '${device}'`
  return { description: description ?? name, device, isJob: isJob ?? false }
}

/** The node behind a backend or a view, for the core's own functions. */
export function nodeOf(user: BlockBackend | BlockNode): GraphNode {
  return graphNode(user instanceof BlockBackend ? user.root : user)
}
