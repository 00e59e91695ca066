/** What a driver is: a value that names a format, a protocol or a filter, and opens nodes of it. */

import type { JobOptions } from '../backend/job-options.ts'
import type { FlatOptions, OptionSchema } from '../options/schema.ts'
import type { NodeBitmaps } from './bitmap-support.ts'
import type { BlockLayer } from './block-layer.ts'
import type { Child, ChildRole } from './child.ts'
import type { FrozenChain } from './frozen-chain.ts'
import type { HeaderClaims } from './header-claims.ts'
import type { BackingReference, BlockNode, DriverKind } from './node-view.ts'
import type { OpenFlags } from './open-flags.ts'
import type { Preallocation } from './requests.ts'

// biome-ignore lint/suspicious/noExplicitAny: a list of drivers mixes option types
export type AnyDriver = BlockDriver<any, any>

/**
 * A driver. Values of this type are all there is: no registry, no base class.
 *
 * @typeParam Options - typed runtime options, as parsed by `options`
 * @typeParam Create - typed creation options, as parsed by `create.options`
 * @see QEMU 7.2 include/block/block_int-common.h: BlockDriver
 */
export interface BlockDriver<Options = object, Create = never> {
  /** `driver=` string and key for look-up: `qcow2`. */
  readonly formatName: string
  readonly kind: DriverKind
  /** A driver that claims `prefix:rest` file names, or takes plain ones (`file`). */
  readonly protocolName?: string
  /** Opening without a `filename` option is an error. */
  readonly needsFilename?: boolean
  /** Children are images of their own, so their formats are probed (quorum); absent, a format's are plain files. */
  readonly childrenAreImages?: boolean
  /** Unallocated ranges show the backing file, and images may name one. */
  readonly supportsBacking?: boolean
  /** Its images can hold compressed clusters: their layers have `writeCompressed`. */
  readonly supportsCompression?: boolean
  /** One table gives parsing, types, help, and the error texts. */
  readonly options: OptionSchema<Options>
  /** Turns a file name (prefix included) into options; default: `filename` with the prefix stripped. */
  readonly parseFilename?: (filename: string) => FlatOptions
  /** Protocols: one text for all spellings of an existing file (realpath); `undefined` where there is no such file. */
  readonly canonicalName?: (filename: string) => string | undefined
  /** Protocols for devices: 0 (no) to 100 (certain) that the file of that name is one; asked before any prefix counts. */
  readonly probeDevice?: (filename: string) => number
  /** 0 (no) to 100 (certain), from the first 512 bytes. */
  readonly probe?: (head: Uint8Array, filename: string | undefined) => number
  /**
   * What an image says of itself, without reading more of it or believing any of it: for a verdict on images of
   * strangers. Absent: images of this format cannot be judged, and so are refused.
   *
   * @param head - the file's first `claimBytesMax` bytes, or all of it where it is shorter
   * @param fetched - what the claims asked for with `fetch`, zero padded
   * @throws BlockError where the header cannot be read at all
   */
  readonly claims?: (head: Uint8Array, fileBytes: number, fetched?: Uint8Array) => HeaderClaims
  readonly create?: CreateSupport<Create>
  /** Options that `MaintenanceSupport.amend` can change, in the reference's declaration order. */
  readonly amendOptions?: OptionSchema<object>
  /**
   * Checks what it reads, attaches its children through `context`, and gives the open node's behaviour.
   *
   * @throws BlockError with the reference's message, without the file name: the graph puts `Could not open …` in front where the reference does
   */
  open(context: OpenContext, options: Options): Promise<BlockLayer>
}

/** How a node is described in code: a driver value and its typed options; nothing needs to be registered. */
export interface NodeSpec<Options = unknown> {
  readonly driver: AnyDriver
  readonly options: Options
  readonly nodeName?: string | undefined
  readonly readOnly?: boolean | undefined
  /** In place of the backing file that the image names; `null`: none. Absent: as the image says. */
  readonly backing?: NodeSpec | null | undefined
  /** Options every node has, in their text form: `discard`, `detect-zeroes`, `cache.direct`, `force-share` … */
  readonly common?: Readonly<Record<string, string | boolean>> | undefined
}

/** What a `node` option may be: a description, a node that is open already, or what the graph parsed from text. */
export type ChildSpec = NodeSpec | BlockNode | ParsedChild

/** A child described in text (`file.driver=…`, `file=<node name>`); opaque to drivers, which hand it to `attach`. */
export interface ParsedChild {
  readonly kind: 'parsed-child'
  /** Options below the child's prefix, the prefix stripped. */
  readonly options: FlatOptions
  /** Name of an open node, where the option was a plain string. */
  readonly reference: string | undefined
}

/** What the graph gives a driver that is opening a node. */
export interface OpenContext {
  /** `degradeToReadOnly` makes it true. */
  readonly readOnly: boolean
  /** The name the user or the image gave, prefix included; empty for a node described by options only. */
  readonly filename: string
  readonly nodeName: string
  readonly flags: OpenFlags
  readonly signal: AbortSignal | undefined
  /**
   * Opens (or takes) a child that the user described and makes it this node's child.
   *
   * @param name - child name: `file`, `data-file`, `image` …
   * @throws BlockError `EINVAL` `A block device must be specified for "<name>"` where `spec` is undefined
   */
  attach(name: string, role: ChildRole, spec: ChildSpec | undefined): Promise<Child>
  /**
   * Opens a child by a file name in the user's spelling, protocol prefix and all (`blkdebug:CONFIG:IMAGE`).
   *
   * @throws BlockError whatever opening it meets
   */
  attachNamed(name: string, role: ChildRole, filename: string): Promise<Child>
  /**
   * Opens a child that the image names, other than its backing file, by the protocol for plain files: a prefix or a
   * `json:` description in an image means nothing, and relative names count from the working directory. Goes through the
   * graph's `implicitOpen`.
   *
   * @throws BlockError `EACCES` where the graph may not open it, else whatever opening it meets
   */
  attachRecorded(
    name: string,
    role: ChildRole,
    recorded: { readonly as: 'data-file' | 'extent'; readonly filename: string },
  ): Promise<Child>
  /** A child plays another role from now on, one that needs less of it: what it holds is known only since it was opened. */
  changeRole(name: string, role: ChildRole): void
  /**
   * Opens the backing file that the image names, unless the user replaced or forbade it; goes through the graph's
   * `implicitOpen`. Call it last in `open`: its errors come after all of the driver's own.
   *
   * @param reference - as recorded in the image; `undefined` where it names none
   */
  attachBacking(reference: BackingReference | undefined): Promise<Child | undefined>
  /**
   * Makes the node read-only, where `auto-read-only` allows it: for a driver that finds that it cannot write.
   *
   * @param message - what is said where it does not; default `Image is read-only`
   * @throws BlockError `EACCES` with `message` for a writable node without `auto-read-only`
   */
  degradeToReadOnly(message?: string): void
  /** A node of this graph by its name; it may still be opening. */
  findNode(nodeName: string): BlockNode | undefined
  /**
   * Freezes the links from this node (a filter) down to `bottom`; call it last in `open`, and `release` in `close`.
   *
   * @throws BlockError `EINVAL` where `bottom` is not below this node, `EPERM` where a link is frozen already
   */
  freezeChain(bottom: BlockNode): FrozenChain
  /**
   * What `childPermissions` answers has changed: the graph asks it again. Not while it asks, nor within `setPermissions`.
   *
   * @throws BlockError where the layer now takes what it cannot have; nothing has changed then
   */
  permissionsChanged(): void
  /** The node's dirty bitmaps. */
  readonly bitmaps: NodeBitmaps
  /** A message for the user, printed as `<program>: warning: <message>`. */
  warn(message: string): void
  /** A failure that no request can report (at close, say), printed as `<program>: <message>`. */
  reportError(message: string): void
  /** A diagnostic line that is printed as it is, on stderr (repair messages, corruption messages). */
  report(line: string): void
  /**
   * Ends the node for good: every later request fails with `ENOMEDIUM`, and nothing is written again, not even at
   * close (QEMU: `bs->drv = NULL`). For a driver whose memory and disk can no longer agree.
   */
  eject(): void
}

/** How new images of a format, or new files of a protocol, come into being. */
export interface CreateSupport<Create> {
  /** In the reference's declaration order: `create` prints them so. */
  readonly options: OptionSchema<Create>
  /** Formats write into `context.file()`; protocols make the file that `context.filename` names, replacing one that exists. */
  run(context: CreateContext, options: Create): Promise<void>
  /** Protocols only: removes the file again after a format's creation failed. */
  remove?(filename: string): Promise<void>
  /** How large a new image would be that holds `source`. @throws BlockError with the reference's message */
  measure?(options: Create, source: MeasureSource): Promise<Measurement>
}

/** What a new image that is only measured would hold. */
export interface MeasureSource {
  /** Virtual size in bytes. */
  readonly size: bigint
  /** Where there is data that does not read as zeroes, in ascending order. */
  dataRanges(): AsyncIterable<{ readonly start: number; readonly bytes: number }>
  /** The persistent bitmaps that would come along; absent where the source cannot have any. */
  readonly bitmaps?: readonly { readonly name: string; readonly granularity: number }[] | undefined
}

/** Sizes in bytes that a new image would take. */
export interface Measurement {
  readonly required: bigint
  readonly fullyAllocated: bigint
  readonly bitmaps?: bigint
}

/** What the graph gives a driver that is creating an image. */
export interface CreateContext {
  /** The target as the user named it. */
  readonly filename: string
  /** Virtual size in bytes, rounded up to 512 by the caller. */
  readonly size: bigint
  readonly backing: BackingReference | undefined
  /** Whether there is a driver of that name, here or in the reference; absent: any name will do. */
  isFormatName?(name: string): boolean
  /** Formats: the (empty) file the image goes into, writable and resizable. Closed by the graph. */
  file(): Promise<Child>
  /**
   * Formats whose image has a second file: makes the one that `filename` names, in the user's spelling, and gives it empty,
   * writable and resizable. Closed by the graph, and gone again where the creation fails.
   */
  otherFile(filename: string): Promise<Child>
  /** Formats whose image is nothing but its file: the protocol makes that, `size` bytes long, with all options it knows. */
  makeFile(): Promise<void>
  readonly signal: AbortSignal | undefined
  /** To be told the bytes of preallocated space that are prepared. */
  readonly onProgress?: JobOptions['onProgress']
  warn(message: string): void
}

export type { OpenFlags, Preallocation }

/**
 * Gives `driver` back with its option types inferred.
 *
 * @example
 * import { createBlockGraph } from '@blocklayer/block-core'
 * import { defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
 *
 * const zeroDriver = defineDriver<{ readonly size: number }>({
 *   formatName: 'zero',
 *   kind: 'protocol',
 *   options: { size: { name: 'size', type: 'size', required: true, help: 'bytes' } },
 *   open: async (_context, { size }) => ({
 *     length: size,
 *     read: async (_offset, into) => void into.fill(0),
 *     close: async () => {},
 *   }),
 * })
 * await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
 * await using disk = await graph.open(nodeSpec(zeroDriver, { size: 1024 }), { readOnly: true })
 * console.log(disk.length)
 */
export function defineDriver<Options, Create = never>(
  driver: BlockDriver<Options, Create>,
): BlockDriver<Options, Create> {
  return driver
}

/** Describes a node of `driver` in code. */
export function nodeSpec<Options>(
  driver: Omit<BlockDriver<Options, never>, 'create'>,
  options: Options,
  extra: Omit<NodeSpec, 'driver' | 'options'> = {},
): NodeSpec<Options> {
  return { ...extra, driver: driver as AnyDriver, options }
}
