/** An open copy-on-read node: what is read from below the image is written into it on the way. */

import {
  type BlockLayer,
  type Child,
  type FrozenChain,
  type LayerInfo,
  type PermissionSet,
  Permissions,
  type WriteSupport,
} from '@blocklayer/block-core/driver'

/** Permissions that reach the image as the users take them. */
const passed = Permissions.consistentRead | Permissions.write | Permissions.resize

/** The image's data, which it keeps once it was read. */
export class CopyOnReadLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly #file: Child
  readonly #chain: FrozenChain | undefined

  /** @param chain - the piece of the chain from which is copied; `undefined`: all of it */
  constructor(file: Child, chain: FrozenChain | undefined) {
    this.#file = file
    this.#chain = chain
    this.writer = {
      supportsFua: true,
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: (offset, data, flags) => file.write(offset, data, flags),
      writev: (offset, data, flags) => file.write(offset, data, flags),
      writeZeroes: (offset, bytes, flags) => file.writeZeroes(offset, bytes, flags),
      ...(file.canCompress ? { writeCompressed: (offset, data) => file.writeCompressed(offset, data) } : {}),
      discard: (offset, bytes) => file.discard(offset, bytes),
    }
  }

  get length(): number {
    return this.#file.length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#read(offset, into, false)
  }

  /** Copies what a read would copy, for a user that only wants the image filled. */
  prefetch(offset: number, bytes: number): Promise<void> {
    return this.#read(offset, new Uint8Array(bytes), true)
  }

  async #read(offset: number, into: Uint8Array, prefetch: boolean): Promise<void> {
    const more = prefetch ? { prefetch } : {}
    if (this.#chain === undefined) return this.#file.read(offset, into, { copyOnRead: true, ...more })
    for (let done = 0; done < into.length; ) {
      const { bytes, source } = await this.#chain.source(offset + done, into.length - done)
      // Past the end there is nothing to ask, but still something to fill.
      const piece = bytes === 0 ? into.length - done : bytes
      const flags = { copyOnRead: source === 'below', ...more }
      await this.#file.read(offset + done, into.subarray(done, done + piece), flags)
      done += piece
    }
  }

  /** What the file's format says of its clusters and machine state; the rest of its facts are its own. */
  info(): LayerInfo {
    const { clusterSize, vmStateOffset } = this.#file.info
    return {
      ...(clusterSize === undefined ? {} : { clusterSize }),
      ...(vmStateOffset === undefined ? {} : { vmStateOffset }),
    }
  }

  /** The image is written when it is read, but its content stays: others may do the same. */
  childPermissions(_name: string, permissions: PermissionSet, users: PermissionSet): PermissionSet {
    return {
      taken: (users.taken & passed) | Permissions.writeUnchanged,
      shared: permissions.shared | Permissions.writeUnchanged,
    }
  }

  async close(): Promise<void> {
    this.#chain?.release()
  }
}
