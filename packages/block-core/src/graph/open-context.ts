/** What a driver that is opening a node gets from the graph: children, the backing file, messages. */

import { addBitmap } from '../dirty-bitmap/node-bitmaps.ts'
import type { NodeBitmaps } from '../driver/bitmap-support.ts'
import type { ChildSpec, NodeSpec, OpenContext, OpenFlags, ParsedChild } from '../driver/block-driver.ts'
import { type Child, type ChildRole, ChildRoles } from '../driver/child.ts'
import type { FrozenChain } from '../driver/frozen-chain.ts'
import type { BackingReference, BlockNode } from '../driver/node-view.ts'
import { assert, BlockError } from '../errors.ts'
import { GraphNode, graphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import { attachChild, closeUnused } from './attach.ts'
import { frozenChain } from './frozen-chain.ts'
import type { GraphCore } from './graph-core.ts'
import { askPolicy } from './implicit-open.ts'
import { type BackingOptions, openBacking, takeBackingOptions } from './open-backing.ts'
import { type CommonOptions, inheritedBy } from './open-options.ts'
import type { OpenNode, OpenRequest } from './open-request.ts'
import { refreshPermissions } from './permission-update.ts'
import { storageIdentity } from './refresh-filename.ts'

/** What a context is made of. */
export interface OpenContextParts {
  readonly core: GraphCore
  readonly open: OpenNode
  readonly node: GraphNode
  readonly request: OpenRequest
  readonly common: CommonOptions
  /** A file child that was opened to look into it. */
  readonly file: GraphNode | undefined
}

/** The context of one open. */
export class NodeOpenContext implements OpenContext {
  readonly filename: string
  readonly nodeName: string
  readonly flags: OpenFlags
  readonly signal: AbortSignal | undefined
  readonly #core: GraphCore
  readonly #open: OpenNode
  readonly #node: GraphNode
  readonly #request: OpenRequest
  readonly #common: CommonOptions
  readonly #file: GraphNode | undefined
  #backing: BackingOptions = { none: false, reference: undefined, options: new Map() }
  #backingAsked = false
  /** What stores the image, where that can be named; found again below, the chain bites its own tail. */
  #identity: string | undefined

  constructor({ core, open, node, request, common, file }: OpenContextParts) {
    this.#core = core
    this.#open = open
    this.#node = node
    this.#request = request
    this.#common = common
    this.#file = file
    this.filename = request.filename ?? ''
    this.nodeName = node.nodeName
    this.flags = node.flags
    this.signal = request.signal
  }

  get readOnly(): boolean {
    return this.#node.readOnly
  }

  get bitmaps(): NodeBitmaps {
    const { dirtyBitmaps } = this.#node
    return { list: () => [...dirtyBitmaps], add: (options) => addBitmap(dirtyBitmaps, options) }
  }

  degradeToReadOnly(message = 'Image is read-only'): void {
    if (this.readOnly) return
    if (!this.flags.autoReadOnly) throw new BlockError('EACCES', message)
    this.#node.readOnly = true
    this.#node.degraded = true
  }

  async attach(name: string, role: ChildRole, spec: ChildSpec | undefined): Promise<Child> {
    const child = await this.#openChild(name, role, spec)
    return this.#take(name, role, child)
  }

  /** Opens a child by a file name, prefix included (blkdebug's `x-image`). */
  async attachNamed(name: string, role: ChildRole, filename: string): Promise<Child> {
    const inherited = inheritedBy(role, this.#common, this.#isFormat)
    const { overlays, signal } = this.#request
    const child = await this.#open(this.#core, { filename, inherited, overlays, signal, parent: this.#node })
    return this.#take(name, role, child)
  }

  async attachRecorded(
    name: string,
    role: ChildRole,
    recorded: { readonly as: 'data-file' | 'extent'; readonly filename: string },
  ): Promise<Child> {
    const { as, filename } = recorded
    const reference = { role: as, filename, format: undefined, referrer: this.#node }
    const verdict = await askPolicy(this.#core.implicitOpen, reference)
    if (verdict !== 'allow') return this.attach(name, role, verdict)
    const options: FlatOptions = new Map([
      ['driver', 'file'],
      ['filename', filename],
    ])
    return this.attach(name, role, { kind: 'parsed-child', options, reference: undefined })
  }

  changeRole(name: string, role: ChildRole): void {
    const edge = this.#node.edges.get(name)
    assert(edge !== undefined, `node '${this.nodeName}' has no ${name} child`)
    edge.role = role
    refreshPermissions(this.#node)
  }

  /** Attaches, and closes the child where that fails: nobody else knows it. */
  async #take(name: string, role: ChildRole, child: GraphNode): Promise<Child> {
    try {
      const edge = attachChild(this.#node, name, role, child)
      // After the locks: where the reference has a message of its own for a chain that meets itself, it is theirs.
      if ((role & ChildRoles.primary) !== 0) this.#refuseLoop(child)
      return edge
    } catch (error) {
      await closeUnused(this.#core, child)
      throw error
    }
  }

  /** A chain that names itself would be opened for ever. */
  #refuseLoop(storage: GraphNode): void {
    const identity = storageIdentity(storage, (filename) => this.#core.canonicalName(filename))
    if (identity !== undefined && this.#request.overlays.includes(identity)) {
      throw new BlockError('ELOOP', `Backing file '${storage.filename}' creates an infinite loop.`)
    }
    this.#identity = identity
  }

  #openChild(name: string, role: ChildRole, spec: ChildSpec | undefined): Promise<GraphNode> {
    if (spec === undefined) {
      if (name === 'file' && this.#file !== undefined) return Promise.resolve(this.#file)
      throw new BlockError('EINVAL', `A block device must be specified for "${name}"`)
    }
    if (spec instanceof GraphNode) return Promise.resolve(spec)
    const inherited = inheritedBy(role, this.#common, this.#isFormat)
    const { overlays, signal } = this.#request
    const base = { inherited, overlays, signal, parent: this.#node }
    if (!('kind' in spec)) return this.#open(this.#core, { ...base, spec: spec as NodeSpec })
    const parsed = spec as ParsedChild
    if (parsed.reference === undefined) return this.#open(this.#core, { ...base, flat: new Map(parsed.options) })
    if (parsed.options.size > 0) {
      const text = 'Cannot reference an existing block device with additional options or a new filename'
      throw new BlockError('EINVAL', text)
    }
    return Promise.resolve(this.#core.nodeByReference(parsed.reference))
  }

  get #isFormat(): boolean {
    const { kind, childrenAreImages } = this.#node.driver
    return kind === 'format' && childrenAreImages !== true
  }

  /** Takes `backing` and `backing.*` out of the options. */
  takeBackingOptions(flat: FlatOptions): void {
    const unwanted = this.#common.noBacking || this.#request.backing !== undefined
    this.#backing = takeBackingOptions(flat, unwanted, (message) => this.warn(message))
  }

  async attachBacking(reference: BackingReference | undefined): Promise<Child | undefined> {
    this.#backingAsked = true
    const { none } = this.#backing
    const replacement = this.#request.backing
    if (this.#common.noBacking || replacement === null || (none && replacement === undefined)) return undefined
    const child = await this.#openBacking(reference)
    return child === undefined ? undefined : this.#take('backing', ChildRoles.cow, child)
  }

  #openBacking(recorded: BackingReference | undefined): Promise<GraphNode | undefined> {
    const own = this.#identity
    const overlays = own === undefined ? this.#request.overlays : [...this.#request.overlays, own]
    const parts = { core: this.#core, open: this.#open, node: this.#node, request: this.#request }
    return openBacking({ ...parts, common: this.#common, given: this.#backing, overlays }, recorded)
  }

  /** For a driver that never asked: a backing file that the user described is attached, or refused. */
  async attachLateBacking(): Promise<void> {
    if (this.#backingAsked) return
    const { reference, options } = this.#backing
    if (this.#node.driver.supportsBacking === true) {
      await this.attachBacking(undefined)
    } else if (reference !== undefined || options.size > 0) {
      throw new BlockError('EINVAL', "Driver doesn't support backing files")
    }
  }

  findNode(nodeName: string): GraphNode | undefined {
    return this.#core.nodes.get(nodeName)
  }

  freezeChain(bottom: BlockNode): FrozenChain {
    return frozenChain(this.#node, graphNode(bottom))
  }

  permissionsChanged(): void {
    refreshPermissions(this.#node)
  }

  warn(message: string): void {
    this.#core.diagnostic({ kind: 'warning', text: message })
  }

  reportError(message: string): void {
    this.#core.diagnostic({ kind: 'error', text: message })
  }

  report(line: string): void {
    this.#core.diagnostic({ kind: 'line', text: line })
  }

  eject(): void {
    this.#node.eject()
  }
}
