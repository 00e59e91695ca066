/** The graph: what a user opens images with. */

import { BlockBackend, type BackendOptions } from '../backend/block-backend.ts'
import type { JobOptions } from '../backend/job-options.ts'
import type { AnyDriver, NodeSpec } from '../driver/block-driver.ts'
import type { BackingReference, BlockNode } from '../driver/node-view.ts'
import { graphNode } from '../node/graph-node.ts'
import { type PermissionSet, Permissions } from '../node/permissions.ts'
import type { FlatOptions } from '../options/schema.ts'
import { closeNode, closeUnused } from './attach.ts'
import { findBackingImage } from './find-backing.ts'
import { drained } from './drain.ts'
import { Failures } from './failures.ts'
import { type Diagnostic, GraphCore } from './graph-core.ts'
import { type CreateOptions, type ImageCreation, prepareCreation } from './image-create.ts'
import type { ImplicitOpenPolicy } from './implicit-open.ts'
import { openNode } from './open-node.ts'
import type { Inherited } from './open-options.ts'
import type { OpenRequest } from './open-request.ts'

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

  /** An open node by its name. */
  node(nodeName: string): BlockNode | undefined {
    return this.#core.nodes.get(nodeName)
  }

  /** All open nodes, newest first. */
  get nodes(): readonly BlockNode[] {
    return [...this.#core.nodes.values()].reverse()
  }

  /** The image of `top`'s backing chain that `name` means, as `commit -b` understands it. */
  findBackingImage(top: BlockNode, name: string): BlockNode | undefined {
    return findBackingImage(graphNode(top), name, (filename) => this.#core.canonicalName(filename))
  }

  /** What the image at `top` records, opened by nobody: the name resolved against the image's place. */
  backingReference(top: BlockNode): BackingReference | undefined {
    return graphNode(top).backingReference
  }

  /** Closes every backend that is still open, and nodes without users. The first failure is thrown when all are closed. */
  async close(): Promise<void> {
    const failures = new Failures()
    for (const user of [...this.#core.users]) await failures.attempt(() => user.close())
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
  { format, nodeName }: OpenOptions,
): Pick<OpenRequest, 'filename' | 'flat' | 'spec'> {
  if (typeof image !== 'string' && !(image instanceof Map)) {
    return { spec: nodeName === undefined ? image : { ...image, nodeName } }
  }
  const flat: FlatOptions = image instanceof Map ? new Map(image) : new Map()
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
