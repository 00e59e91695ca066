/** The graph: what a user opens images with. */

import { type BackendOptions, BlockBackend } from '../backend/block-backend.ts'
import type { JobOptions } from '../backend/job-options.ts'
import type { AnyDriver, NodeSpec } from '../driver/block-driver.ts'
import type { BackingReference, BlockNode } from '../driver/node-view.ts'
import { graphNode } from '../node/graph-node.ts'
import { type PermissionSet, Permissions } from '../node/permissions.ts'
import { flatOptions, type GivenOptions } from '../options/flat-options.ts'
import type { FlatOptions } from '../options/schema.ts'
import { closeByDisposal } from '../util/async-dispose.ts'
import { addNode, removeNode } from './add-node.ts'
import { closeNode, closeUnused } from './attach.ts'
import { addChild, removeChild } from './child-list.ts'
import { drained } from './drain.ts'
import { type DropOptions, dropIntermediate } from './drop-intermediate.ts'
import { Failures } from './failures.ts'
import { findBackingImage } from './find-backing.ts'
import { type Diagnostic, GraphCore } from './graph-core.ts'
import { type CreateOptions, type ImageCreation, prepareCreation } from './image-create.ts'
import type { ImplicitOpenPolicy } from './implicit-open.ts'
import { openNode } from './open-node.ts'
import type { Inherited } from './open-options.ts'
import type { OpenRequest } from './open-request.ts'
import { reopenNodes } from './reopen.ts'
import { appendNode, insertFilter, removeFilter, replaceDrained, setBacking } from './surgery.ts'

/** What a graph is made of. */
export interface GraphOptions {
  /** Looked up by name for strings, `json:` names and names found inside images. There is no global list. */
  readonly drivers: readonly AnyDriver[]
  /** Required: what to do when an image names another file. There is no default on purpose. */
  readonly implicitOpen: ImplicitOpenPolicy
  /** Gets messages that no request can carry: warnings, repair lines, errors while closing. Default: dropped by choice of the caller. */
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void
  /** Bytes that all requests together may hold in buffers of their own; those that find none left wait. Default 64 MiB. */
  readonly bounceBytesMax?: number
}

/** How an image is opened. */
export interface OpenOptions {
  /** Absent: probe. Probing an image that a guest could write is unsafe; see SECURITY.md. */
  readonly format?: string | undefined
  /** With a file name: flat options of its node and children besides. */
  readonly options?: GivenOptions | undefined
  readonly readOnly?: boolean | undefined
  /** `null`: open without the backing file that the header names. */
  readonly backing?: NodeSpec | null | undefined
  readonly nodeName?: string | undefined
  readonly cache?:
    | { readonly direct?: boolean; readonly noFlush?: boolean; readonly writeThrough?: boolean }
    | undefined
  /** Pass discards on. */
  readonly unmap?: boolean | undefined
  /** Read an image that somebody else may be writing (`-U`); only for read-only opens. */
  readonly forceShare?: boolean | undefined
  /** Open for a check: no automatic repair, damage tolerated. */
  readonly check?: boolean | undefined
  /** Metadata only (`info`). */
  readonly noIo?: boolean | undefined
  /** Do not open backing files at all. */
  readonly noBacking?: boolean | undefined
  /** What others may do while the image is open; default: everything. */
  readonly share?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * A graph of block nodes with its own list of drivers.
 *
 * @example
 * await using graph = createBlockGraph({ drivers: [fileDriver, rawDriver, qcow2Driver], implicitOpen: 'allow' })
 * await using disk = await graph.open('disk.qcow2', { format: 'qcow2', readOnly: true })
 */
export class BlockGraph implements AsyncDisposable {
  static {
    closeByDisposal(BlockGraph.prototype)
  }

  readonly #core: GraphCore

  /** Use `createBlockGraph`. */
  constructor(options: GraphOptions) {
    this.#core = new GraphCore(options)
  }

  /** The drivers, in the order they were given. */
  get drivers(): readonly AnyDriver[] {
    return this.#core.drivers
  }

  /**
   * Opens an image for guest I/O.
   *
   * @param image - a file name, flat options (`--image-opts`), or a description in code
   * @throws BlockError `ENOENT`, `EACCES`, `EINVAL` (not this format), `ENOTSUP` (unknown feature) …: the inner message,
   *   without the `Could not open '<name>': ` that tools put in front
   */
  async open(image: string | FlatOptions | NodeSpec, options: OpenOptions = {}): Promise<BlockBackend> {
    const node = await openNode(this.#core, {
      ...described(image, options),
      inherited: inheritedFrom(options),
      backing: options.backing,
      overlays: [],
      signal: options.signal,
    })
    try {
      const isSpec = typeof image !== 'string' && !(image instanceof Map)
      // Who asks to write gets it or an error; only a description in code may say by itself that it is read-only.
      const readOnly = options.readOnly ?? (isSpec && node.readOnly)
      const permissions = userPermissions(readOnly, options)
      return new BlockBackend(this.#core, node, { permissions, writeThrough: options.cache?.writeThrough ?? false })
    } catch (error) {
      await closeUnused(this.#core, node)
      throw error
    }
  }

  /** Another user of a node that is open. @throws BlockError where its permissions conflict */
  backend(node: BlockNode, options: BackendOptions): BlockBackend {
    return new BlockBackend(this.#core, graphNode(node), options)
  }

  /**
   * Makes a new image, replacing a file that exists.
   *
   * @throws BlockError with the reference's messages; nothing is left of an image that could not be completed
   */
  async create(format: string, filename: string, options: CreateOptions, job: JobOptions = {}): Promise<void> {
    const creation = await this.prepareCreate(format, filename, options)
    await creation.run(job)
  }

  /** All checks of `create`, and what a tool prints before it begins; `run` does the work. */
  prepareCreate(format: string, filename: string, options: CreateOptions): Promise<ImageCreation> {
    return prepareCreation(this.#core, format, filename, options)
  }

  /**
   * Opens a node that stays open until `removeNode`; it has no user yet. It must have a name.
   *
   * @throws BlockError `EINVAL` `'node-name' must be specified for the root node`, or as opening a node
   */
  addNode(description: FlatOptions | NodeSpec): Promise<BlockNode> {
    return addNode(this.#core, description)
  }

  /**
   * Closes a node that `addNode` made, with all that it had opened inline.
   *
   * @throws BlockError with the reference's words where there is no such node, or it is in use; it then stays
   */
  removeNode(nodeName: string): Promise<void> {
    return removeNode(this.#core, nodeName)
  }

  /**
   * Gives nodes new options, all of them or none, under running I/O. What is not given goes back to its default, or with
   * `keepOld` stays as it is; children that were opened inline follow; `file` and `backing` may name other nodes. A child that is named keeps what
   * is not spoken of, as in the reference: to make an image writable again, reopen its named file with it.
   *
   * @throws BlockError with the reference's words; everything is as it was then
   */
  reopen(
    changes: readonly {
      readonly node: BlockNode | string
      readonly options: GivenOptions
      readonly keepOld?: boolean
    }[],
  ): Promise<void> {
    const nodes = changes.map(({ node, options, keepOld = false }) => ({
      keepOld,
      node: typeof node === 'string' ? node : graphNode(node),
      options: flatOptions(options),
    }))
    return reopenNodes(this.#core, nodes)
  }

  /**
   * Puts `to` in the place of `from`, under running I/O: `from`'s users go on with `to`. `from` is closed if nobody
   * holds it any more.
   *
   * @throws BlockError `EPERM` for a frozen link or a permission conflict; nothing has changed then
   */
  replaceNode(from: BlockNode, to: BlockNode): Promise<void> {
    return replaceDrained(this.#core, graphNode(from), graphNode(to))
  }

  /**
   * Puts `newTop`, an image without a backing file, above `top`, under running I/O: `top` becomes its backing file, and
   * `top`'s users go on with `newTop`.
   *
   * @throws BlockError with the reference's words where `newTop` cannot be an overlay; nothing has changed then
   */
  append(newTop: BlockNode, top: BlockNode): Promise<void> {
    return appendNode(graphNode(newTop), graphNode(top))
  }

  /**
   * Gives an open image another backing file, or none, under running I/O. What the image records stays as it is
   * (`changeBackingFile` changes that).
   *
   * @throws BlockError where the driver has none, for a cycle, or for a frozen link; nothing has changed then
   */
  setBacking(node: BlockNode, backing: BlockNode | null): Promise<void> {
    return setBacking(this.#core, graphNode(node), backing === null ? null : graphNode(backing))
  }

  /**
   * Puts a filter between `node` and its users, under running I/O. The description refers to `node`; the filter stays
   * until `removeFilter` or `removeNode`.
   *
   * @throws BlockError `Could not create node: …`, `Could not replace node: …`; nothing has changed then
   */
  insertFilter(node: BlockNode, description: FlatOptions | NodeSpec): Promise<BlockNode> {
    return insertFilter(this.#core, graphNode(node), description)
  }

  /** Takes a filter out again, under running I/O. @throws BlockError as `replaceNode`, `EINVAL` for another node */
  removeFilter(filter: BlockNode): Promise<void> {
    return removeFilter(this.#core, graphNode(filter))
  }

  /**
   * Makes `child` one more child of an open node that takes them (quorum), under running I/O.
   *
   * @returns the child's name, `children.2`
   * @throws BlockError with the reference's words; nothing has changed then
   */
  addChild(parent: BlockNode, child: BlockNode): Promise<string> {
    return addChild(graphNode(parent), graphNode(child))
  }

  /** Takes a child of that kind away again, under running I/O. @throws BlockError with the reference's words */
  removeChild(parent: BlockNode, name: string): Promise<void> {
    return removeChild(this.#core, graphNode(parent), name)
  }

  /** Runs `section` while no user of any node has a request in flight. */
  async drainAll<T>(section: () => Promise<T>): Promise<T> {
    return drained([...this.#core.nodes.values()], section)
  }

  /** An open node by its name. */
  node(nodeName: string): BlockNode | undefined {
    return this.#core.nodes.get(nodeName)
  }

  /**
   * What a name means that may be a device's or a node's; devices come first.
   *
   * @throws BlockError `EINVAL` `Cannot find device='x' nor node-name='x'`
   */
  lookup(name: string): BlockNode {
    return this.#core.nodeByReference(name)
  }

  /** All open nodes, newest first. */
  get nodes(): readonly BlockNode[] {
    return [...this.#core.nodes.values()].reverse()
  }

  /** The image of `top`'s backing chain that `name` means, as `commit -b` understands it. */
  findBackingImage(top: BlockNode, name: string): BlockNode | undefined {
    return findBackingImage(graphNode(top), name, (filename) => this.#core.canonicalName(filename))
  }

  /**
   * Drops the images from `top` down to `base`, which stays: `top`'s users go on with `base`, and overlays among them
   * record it as their backing file. What guests read must be in `base` already.
   *
   * @throws BlockError `Could not update backing file link: …`, `Should not change '<edge>' link to '<top>'`, a frozen
   *   link, a permission conflict; all is as before then
   */
  dropIntermediate(top: BlockNode, base: BlockNode, options: DropOptions = {}): Promise<void> {
    return dropIntermediate(this.#core, graphNode(top), graphNode(base), options)
  }

  /** What the image at `top` records, opened by nobody: the name resolved against the image's place. */
  backingReference(top: BlockNode): BackingReference | undefined {
    return graphNode(top).backingReference
  }

  /** Closes every backend that is still open, and nodes without users. The first failure is thrown when all are closed. */
  async close(): Promise<void> {
    const failures = new Failures()
    for (const user of [...this.#core.users]) await failures.attempt(() => user.close())
    for (const node of this.#core.nodes.values()) node.owned = false
    // Left behind by whoever moved their users away.
    for (const node of [...this.#core.nodes.values()]) {
      if (node.parents.size === 0 && !node.opening) await failures.attempt(() => closeNode(this.#core, node))
    }
    failures.throwFirst(this.#core)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Makes a graph. */
export function createBlockGraph(options: GraphOptions): BlockGraph {
  return new BlockGraph(options)
}

/** What is to be opened; `nodeName` and `format` of the options go with it. */
function described(
  image: string | FlatOptions | NodeSpec,
  { format, nodeName, options }: OpenOptions,
): Pick<OpenRequest, 'filename' | 'flat' | 'spec'> {
  if (typeof image !== 'string' && !(image instanceof Map)) {
    return { spec: nodeName === undefined ? image : { ...image, nodeName } }
  }
  const flat = flatOptions(image instanceof Map ? image : options)
  if (format !== undefined) flat.set('driver', format)
  if (nodeName !== undefined) flat.set('node-name', nodeName)
  return typeof image === 'string' ? { filename: image, flat } : { flat }
}

function inheritedFrom(options: OpenOptions): Inherited {
  return {
    readOnly: options.readOnly ?? false,
    autoReadOnly: false,
    unmap: options.unmap ?? false,
    direct: options.cache?.direct ?? false,
    noFlush: options.cache?.noFlush ?? false,
    forceShare: options.forceShare ?? false,
    check: options.check ?? false,
    noIo: options.noIo ?? false,
    noBacking: options.noBacking ?? false,
    allowReadWrite: !(options.readOnly ?? false),
    protocol: false,
  }
}

function userPermissions(readOnly: boolean, options: OpenOptions): PermissionSet {
  const { consistentRead, write, all } = Permissions
  const taken = (options.noIo === true ? 0 : consistentRead) | (readOnly ? 0 : write)
  return { taken, shared: options.share ?? all }
}
