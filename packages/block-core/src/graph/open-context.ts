/** What a driver that is opening a node gets from the graph: children, the backing file, messages. */

import type { ChildSpec, NodeSpec, OpenContext, OpenFlags, ParsedChild } from '../driver/block-driver.ts'
import type { BackingReference } from '../driver/node-view.ts'
import { type Child, type ChildRole, ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import { GraphNode } from '../node/graph-node.ts'
import { combinePaths, isAbsolutePath, protocolPrefix } from '../options/filename.ts'
import type { FlatOptions } from '../options/schema.ts'
import { extractPrefix } from '../options/typed.ts'
import { attachChild, closeNode } from './attach.ts'
import { storageFilename } from './backing-chain.ts'
import type { GraphCore } from './graph-core.ts'
import { askPolicy } from './implicit-open.ts'
import { type CommonOptions, inheritedBy } from './open-options.ts'
import type { OpenNode, OpenRequest } from './open-request.ts'

/** Options `backing` and `backing.*` as the user gave them. */
interface BackingOptions {
  readonly none: boolean
  readonly reference: string | undefined
  readonly options: FlatOptions
}

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
  readonly readOnly: boolean
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

  constructor({ core, open, node, request, common, file }: OpenContextParts) {
    this.#core = core
    this.#open = open
    this.#node = node
    this.#request = request
    this.#common = common
    this.#file = file
    this.readOnly = common.readOnly
    this.filename = request.filename ?? ''
    this.nodeName = node.nodeName
    this.flags = node.flags
    this.signal = request.signal
  }

  async attach(name: string, role: ChildRole, spec: ChildSpec | undefined): Promise<Child> {
    const child = await this.#openChild(name, role, spec)
    return this.#take(name, role, child)
  }

  /** Attaches, and closes the child where that fails: nobody else knows it. */
  async #take(name: string, role: ChildRole, child: GraphNode): Promise<Child> {
    try {
      return attachChild(this.#node, name, role, child)
    } catch (error) {
      if (child.parents.size === 0) await closeNode(this.#core, child)
      throw error
    }
  }

  #openChild(name: string, role: ChildRole, spec: ChildSpec | undefined): Promise<GraphNode> {
    if (spec === undefined) {
      if (name === 'file' && this.#file !== undefined) {
        if (this.#file.parents.size === 0) this.#file.inheritsFrom = this.#node
        return Promise.resolve(this.#file)
      }
      throw new BlockError('EINVAL', `A block device must be specified for "${name}"`)
    }
    if (spec instanceof GraphNode) return Promise.resolve(spec)
    const inherited = inheritedBy(role, this.#common, this.#isFormat)
    const { overlays, signal } = this.#request
    const base = { inherited, overlays, signal, parent: this.#node }
    if (!('kind' in spec)) return this.#open(this.#core, { ...base, spec: spec as NodeSpec })
    const parsed = spec as ParsedChild
    if (parsed.reference === undefined) return this.#open(this.#core, { ...base, flat: new Map(parsed.options) })
    return Promise.resolve(this.#referenced(parsed.reference, parsed.options))
  }

  #referenced(name: string, options: FlatOptions): GraphNode {
    if (options.size > 0) {
      const text = 'Cannot reference an existing block device with additional options or a new filename'
      throw new BlockError('EINVAL', text)
    }
    return this.#core.nodeByReference(name)
  }

  get #isFormat(): boolean {
    return this.#node.driver.kind === 'format'
  }

  /** Opens a child by a file name, prefix included (blkdebug's `x-image`). */
  async attachNamed(name: string, role: ChildRole, filename: string): Promise<Child> {
    const inherited = inheritedBy(role, this.#common, this.#isFormat)
    const { overlays, signal } = this.#request
    const child = await this.#open(this.#core, { filename, inherited, overlays, signal, parent: this.#node })
    return this.#take(name, role, child)
  }

  /** Takes `backing` and `backing.*` out of the options, where the driver can have a backing file. */
  takeBackingOptions(flat: FlatOptions): void {
    if (this.#node.driver.supportsBacking !== true || this.#common.noBacking) return
    const value = flat.get('backing')
    flat.delete('backing')
    if (value === '') {
      this.warn('Use of "backing": "" is deprecated; use "backing": null instead')
    }
    this.#backing = {
      none: value === null || value === '',
      reference: typeof value === 'string' && value !== '' ? value : undefined,
      options: extractPrefix(flat, 'backing.'),
    }
  }

  async attachBacking(reference: BackingReference | undefined): Promise<Child | undefined> {
    this.#backingAsked = true
    if (this.#common.noBacking || this.#backing.none || this.#request.backing === null) return undefined
    try {
      const child = await this.#openBacking(reference)
      if (child === undefined) return undefined
      return await this.#take('backing', ChildRoles.cow, child)
    } catch (error) {
      throw error instanceof BlockError ? error.prepend('Could not open backing file: ') : error
    }
  }

  /** For a driver that never asked: a backing file that the user described is attached all the same. */
  async openLateBacking(): Promise<void> {
    if (this.#backingAsked || this.#node.driver.supportsBacking !== true) return
    await this.attachBacking(undefined)
  }

  async #openBacking(recorded: BackingReference | undefined): Promise<GraphNode | undefined> {
    const { reference, options } = this.#backing
    const inherited = inheritedBy(ChildRoles.cow, this.#common, this.#isFormat)
    const overlays = [...this.#request.overlays, storageFilename(this.#node)]
    const base = { inherited, overlays, signal: this.#request.signal, parent: this.#node }
    if (this.#request.backing !== undefined && this.#request.backing !== null) {
      return this.#open(this.#core, { ...base, spec: this.#request.backing })
    }
    if (reference !== undefined) return this.#referenced(reference, options)
    if (recorded === undefined && options.size === 0) return undefined
    const named = options.has('file.filename') ? undefined : recorded
    const filename = named === undefined ? undefined : this.#resolve(named.filename)
    if (filename !== undefined) {
      const format = recorded?.format
      const verdict = await askPolicy(this.#core.implicitOpen, {
        role: 'backing',
        filename,
        format,
        referrer: this.#node,
      })
      if (verdict !== 'allow') return this.#open(this.#core, { ...base, spec: verdict })
    }
    const overridden = options.size > 0
    if (recorded?.format !== undefined && !options.has('driver')) options.set('driver', recorded.format)
    const child = await this.#open(this.#core, { ...base, filename, flat: options })
    // Later "is this still the backing file that the header names" is asked by comparing names.
    this.#node.implicitBackingFilename = overridden ? recorded?.filename : child.filename
    return child
  }

  #resolve(filename: string): string {
    if (protocolPrefix(filename) !== undefined || isAbsolutePath(filename)) return filename
    return combinePaths(storageFilename(this.#node), filename)
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
