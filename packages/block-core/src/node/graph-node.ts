/** A node as the core sees it: driver, layer, edges up and down, and the requests that run on it. */

import type { DirtyBitmap } from '../dirty-bitmap/dirty-bitmap.ts'
import type { AnyDriver, OpenFlags } from '../driver/block-driver.ts'
import type { BlockLayer } from '../driver/block-layer.ts'
import { type ChildRole, ChildRoles } from '../driver/child.ts'
import type { BackingReference, BlockNode, DriverKind } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import type { FlatOptions } from '../options/schema.ts'
import { alignUp } from '../util/align.ts'
import { AsyncMutex } from '../util/async-mutex.ts'
import type { BounceBudget } from './bounce-budget.ts'
import { IoState } from './io-state.ts'
import { type ResolvedLimits, resolveLimits } from './limits.ts'
import type { PermissionSet } from './permissions.ts'
import { TrackedRequests } from './tracked-requests.ts'

/** When a zero-filled data write becomes a zero write. */
export type DetectZeroes = 'off' | 'on' | 'unmap'

/** What a node is opened with. */
export interface NodeSettings {
  readonly nodeName: string
  readonly driver: AnyDriver
  readonly readOnly: boolean
  readonly flags: OpenFlags
  readonly detectZeroes: DetectZeroes
  /** Opened at the protocol level: children are not probed. */
  readonly protocol: boolean
  /** The format was guessed from the first sector. */
  readonly probed: boolean
  /** Shared by all nodes of the graph; default: one of its own. */
  readonly bounce?: BounceBudget
}

/** Who holds an edge. */
export interface EdgeParent {
  /** As in permission messages: `node 'x'`, `an unnamed block device`, `commit job 'id'`. */
  readonly description: string
  /** The parent where it is a node. */
  readonly node: GraphNode | undefined
  /** The edge has another node below it now (QEMU: a parent "is notified"). */
  moved?(edge: NodeEdge): void
  /** A block job: its edges stay where they are when their node is replaced. */
  readonly isJob?: boolean
  /** Name of the device that the user stands for; devices and nodes share one namespace. */
  readonly device?: string | undefined
  /** The node below has another length now. */
  resized?(edge: NodeEdge): void
  /** A drained section begins below: issue no more requests, and resolve when none is in flight. */
  quiesce?(): Promise<void>
  unquiesce?(): void
}

/** A drained section, as the nodes know it that it holds. */
export interface Drain {
  /** Stops a user that comes while the section lasts. */
  join(parent: EdgeParent): void
}

/** An edge as the node at either end of it knows it. */
export interface NodeEdge {
  readonly name: string
  /** Changes only while the parent is being opened. */
  role: ChildRole
  readonly parent: EdgeParent
  /** The node below. */
  readonly node: GraphNode
  /** What the parent takes and shares now. */
  permissions: PermissionSet
  /** A frozen edge can neither be moved nor removed (a job works on the chain it belongs to). */
  frozen: boolean
  /** Points the edge at another node; the graph calls it inside a change that it can undo. */
  move(node: GraphNode): void
}

/** Keeps one operation from a node. */
export interface OpBlocker {
  readonly operation: string
  /** As it follows `Node 'x' is busy: `. */
  readonly reason: string
}

/** Bytes in a sector: lengths are multiples of it. */
export const sectorSize = 512

/**
 * One open node. Only the core touches it; drivers and users see it as `BlockNode`.
 *
 * @see QEMU 7.2 include/block/block_int-common.h: BlockDriverState
 */
export class GraphNode implements BlockNode {
  readonly nodeName: string
  readonly driver: AnyDriver
  /** Change only by reopening. */
  flags: OpenFlags
  detectZeroes: DetectZeroes
  readonly protocol: boolean
  readonly probed: boolean
  /** Edges to children by child name, in the order of attachment. */
  readonly edges: Map<string, NodeEdge> = new Map()
  /** Edges from parents: nodes, backends, jobs. */
  readonly parents: Set<NodeEdge> = new Set()
  readonly tracked: TrackedRequests = new TrackedRequests()
  readonly dirtyBitmaps: Set<DirtyBitmap> = new Set()
  /** Options that change visible data, as the user gave them; they force a `json:` name. */
  strongOptions: FlatOptions = new Map()
  /** Guesses a format name from a first sector again; set where the guess was raw (the block-0 rule). */
  probeAgain: ((head: Uint8Array) => string) | undefined
  /** Permissions that the layer holds now, where it has locks. */
  appliedPermissions: PermissionSet | undefined
  /** The parent that opened this node inline; it is reopened together with that one. */
  inheritsFrom: GraphNode | undefined
  /** Backing file name as the image records it when it was opened from there; differs where a user overrode it. */
  implicitBackingFilename: string | undefined
  /** Counts writes; a flush is needed where `flushedGeneration` lags behind. */
  writeGeneration = 0
  flushedGeneration = 0
  /** What the request path remembers between requests. */
  readonly io: IoState
  /** Drained sections that hold this node: whoever comes to use it meanwhile is stopped too. */
  readonly drains: Set<Drain> = new Set()
  /** The driver is still opening the node. */
  opening = true
  /** Somebody holds the node by its name (`addNode`): it stays when its last user goes. */
  owned = false
  /** A filter that a job put in without the user asking for it. */
  implicit = false
  /** No link to this node may be frozen: who put it in will take it out again. */
  neverFreeze = false
  /** What may not be done with the node now, and why; the newest first. */
  readonly opBlockers: OpBlocker[] = []
  /** One at a time rewrites what the image records as its backing file. */
  readonly backingRewrites: AsyncMutex = new AsyncMutex()
  /** The node is being reopened; resolves when that has ended, well or not. */
  reopening: Promise<void> | undefined
  /** The node is on its way out and takes no new users. */
  closing = false
  /** What the node was given for itself when it was opened or last reopened: common options and the driver's own. */
  givenOptions: FlatOptions = new Map()
  /** The driver's options as it got them. */
  typedOptions: object = {}
  /** The driver found that it cannot write, and `auto-read-only` allowed it to give that up. */
  degraded = false
  /** Changes only by reopening. */
  readOnly: boolean
  #layer: BlockLayer | undefined
  #limits: ResolvedLimits | undefined
  #ejected = false

  constructor(settings: NodeSettings) {
    this.nodeName = settings.nodeName
    this.driver = settings.driver
    this.readOnly = settings.readOnly
    this.flags = settings.flags
    this.detectZeroes = settings.detectZeroes
    this.protocol = settings.protocol
    this.probed = settings.probed
    this.io = new IoState(settings.bounce)
  }

  get driverName(): string {
    return this.driver.formatName
  }

  get driverKind(): DriverKind {
    return this.driver.kind
  }

  get isFilter(): boolean {
    return this.driver.kind === 'filter'
  }

  /** @throws BlockError `ENOMEDIUM` once the node is ejected or closed */
  get layer(): BlockLayer {
    if (this.#layer === undefined || this.#ejected) throw BlockError.fromErrno('ENOMEDIUM')
    return this.#layer
  }

  /** The layer unless the node was ejected, closed or is still opening. */
  get liveLayer(): BlockLayer | undefined {
    return this.#ejected ? undefined : this.#layer
  }

  /** Called once by the graph when the driver has opened, and at close with `undefined`. */
  setLayer(layer: BlockLayer | undefined): void {
    this.#layer = layer
    this.opening = false
    this.refreshLimits()
  }

  /** Takes the layer's limits again: a child was replaced, the node was reopened, or the driver computes them late. */
  refreshLimits(): void {
    const limits = this.#layer?.limits ?? {}
    // Writes to a guessed raw image are whole sectors, so that the first one can be looked at before it is written.
    const requestAlignment = this.probeAgain === undefined ? 0 : sectorSize
    const own = { ...limits, requestAlignment: Math.max(limits.requestAlignment ?? 1, requestAlignment) }
    const children = [...this.edges.values()].filter((edge) => edge.node.liveLayer !== undefined)
    this.#limits = this.#layer === undefined ? undefined : resolveLimits(own, children)
  }

  /** @throws BlockError `ENOMEDIUM` once the node is ejected or closed */
  get limits(): ResolvedLimits {
    if (this.#limits === undefined || this.#ejected) throw BlockError.fromErrno('ENOMEDIUM')
    return this.#limits
  }

  eject(): void {
    this.#ejected = true
  }

  get ejected(): boolean {
    return this.#ejected
  }

  get length(): number {
    return alignUp(this.layer.length, sectorSize)
  }

  get filename(): string {
    return this.filenameOf(this)
  }

  /** Set by the graph, which knows how names are rebuilt from options and children. */
  filenameOf: (node: GraphNode) => string = () => ''

  get children(): ReadonlyMap<string, GraphNode> {
    return new Map([...this.edges].map(([name, edge]) => [name, edge.node]))
  }

  /** Edge with a role bit, the first one attached. */
  edgeWithRole(role: number): NodeEdge | undefined {
    for (const edge of this.edges.values()) if ((edge.role & role) !== 0) return edge
    return undefined
  }

  get primaryEdge(): NodeEdge | undefined {
    return this.edgeWithRole(ChildRoles.primary)
  }

  get backingEdge(): NodeEdge | undefined {
    return this.isFilter ? undefined : this.edgeWithRole(ChildRoles.cow)
  }

  /** One step down the backing chain, filters included. */
  get chainEdge(): NodeEdge | undefined {
    return this.isFilter ? this.edgeWithRole(ChildRoles.filtered) : this.backingEdge
  }

  get backing(): GraphNode | undefined {
    return this.backingEdge?.node
  }

  get backingReference(): BackingReference | undefined {
    return this.liveLayer?.backingReference?.()
  }
}

/** The core's node behind what a user holds. */
export function graphNode(node: BlockNode): GraphNode {
  if (!(node instanceof GraphNode)) throw new TypeError('this node was not opened by a graph of this block-core')
  return node
}
