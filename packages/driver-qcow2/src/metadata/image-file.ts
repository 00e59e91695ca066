/** The image's own file as the rooms see it: a child that stops doing anything once the node has been ejected. */

import {
  type BlkdebugEvent,
  BlockError,
  type BlockNode,
  type BlockStatus,
  type Child,
  type IoBuffers,
  type LayerInfo,
  type ReadFlags,
  type TruncateOptions,
  type WriteFlags,
  type ZeroFlags,
} from '@blocklayer/block-core/driver'

/**
 * The `file` child with a switch that is thrown once: after `eject` every request fails with `ENOMEDIUM`.
 *
 * Memory and disk of an ejected image no longer agree. Requests that were under way when that happened end here too,
 * so that nothing which they still hold in memory can reach the disk.
 *
 * @see spec/commit-and-make-empty.md, section 6: what "ejected" means
 */
export class ImageFile implements Child {
  readonly #child: Child
  readonly #onEject: () => void
  /** Shared by all files of one image. */
  #medium = { ejected: false }

  /** @param onEject - told once, so that the core refuses later requests as well */
  constructor(child: Child, onEject: () => void) {
    this.#child = child
    this.#onEject = onEject
  }

  get name(): string {
    return this.#child.name
  }

  get role(): number {
    return this.#child.role
  }

  get node(): BlockNode {
    return this.#child.node
  }

  get length(): number {
    return this.#child.length
  }

  get info(): LayerInfo {
    return this.#child.info
  }

  get ejected(): boolean {
    return this.#medium.ejected
  }

  /** Another file of the same image, which ends with this one. */
  beside(child: Child): ImageFile {
    const other = new ImageFile(child, this.#onEject)
    other.#medium = this.#medium
    return other
  }

  /** Ends the image for good: nothing is read or written any more. */
  eject(): void {
    if (this.#medium.ejected) return
    this.#medium.ejected = true
    this.#onEject()
  }

  /** Behind the file's end are zeroes, also where the core does no I/O any more: damaged tables point anywhere. */
  read(offset: number, into: IoBuffers, flags?: ReadFlags): Promise<void> {
    if (this.#medium.ejected) return noMedium()
    if (offset <= offsetMax - readMax || offset < this.length) return this.#child.read(offset, into, flags)
    return readNothing(offset, into)
  }

  write(offset: number, data: IoBuffers, flags?: WriteFlags): Promise<void> {
    return this.#medium.ejected ? noMedium() : this.#child.write(offset, data, flags)
  }

  get canCompress(): boolean {
    return this.#child.canCompress
  }

  writeCompressed(offset: number, data: Uint8Array): Promise<void> {
    return this.#medium.ejected ? noMedium() : this.#child.writeCompressed(offset, data)
  }

  writeZeroes(offset: number, bytes: number, flags?: ZeroFlags): Promise<void> {
    return this.#medium.ejected ? noMedium() : this.#child.writeZeroes(offset, bytes, flags)
  }

  discard(offset: number, bytes: number): Promise<void> {
    return this.#medium.ejected ? noMedium() : this.#child.discard(offset, bytes)
  }

  flush(): Promise<void> {
    return this.#medium.ejected ? noMedium() : this.#child.flush()
  }

  truncate(length: number, options?: TruncateOptions): Promise<void> {
    return this.#medium.ejected ? noMedium() : this.#child.truncate(length, options)
  }

  blockStatus(offset: number, bytes: number, options?: { readonly wantZero?: boolean }): Promise<BlockStatus> {
    return this.#medium.ejected ? noMedium() : this.#child.blockStatus(offset, bytes, options)
  }

  isZeroFast(offset: number, bytes: number): Promise<boolean> {
    return this.#medium.ejected ? noMedium() : this.#child.isZeroFast(offset, bytes)
  }

  readsZero(offset: number, bytes: number): Promise<boolean> {
    return this.#medium.ejected ? noMedium() : this.#child.readsZero(offset, bytes)
  }

  allocatedBytes(): Promise<number | undefined> {
    return this.#medium.ejected ? noMedium() : this.#child.allocatedBytes()
  }

  hasZeroInit(): Promise<boolean> {
    return this.#medium.ejected ? noMedium() : this.#child.hasZeroInit()
  }

  /** Only announces what comes next: a step that needs no request of the file goes on, so that it can clean up. */
  debugEvent(event: BlkdebugEvent): Promise<void> {
    return this.#medium.ejected ? Promise.resolve() : this.#child.debugEvent(event)
  }
}

/** Largest offset at which the core does I/O. */
const offsetMax = Number.MAX_SAFE_INTEGER

/** No single read of metadata or data is longer: bytes. */
const readMax = 2 ** 31

/** No request of the reference ends behind it. @see QEMU 7.2 include/block/block-common.h: BDRV_MAX_LENGTH */
const lengthMax = 2 ** 63 - 2 ** 30

/** A read of nothing but what lies behind every file. */
async function readNothing(offset: number, into: IoBuffers): Promise<void> {
  const buffers = into instanceof Uint8Array ? [into] : into
  const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  if (offset + bytes > lengthMax) throw BlockError.fromErrno('EIO')
  for (const buffer of buffers) buffer.fill(0)
}

function noMedium(): Promise<never> {
  return Promise.reject(BlockError.fromErrno('ENOMEDIUM'))
}
