/** The descriptor behind a node: the mode it is open in, the locks on it, and how both change while the node is used. */

import { BlockError, type OpenFlags, Permissions, type PreparedReopen } from '@blocklayer/block-core/driver'
import type { HostFile } from './host-file.ts'
import type { Libc } from './libc.ts'
import type { ImageLock, LockPermissions } from './lock.ts'
import { openAgainNow, openStorage, requireSame, type StorageKind, type StorageMode } from './storage.ts'

/** Whoever takes one of these needs a descriptor that can write. */
const writing = Permissions.write | Permissions.writeUnchanged | Permissions.resize

/** How a node wants its file: as its options say. */
export interface FileMode {
  readonly readOnly: boolean
  /** Open for reading until a user takes a permission to write, and again when the last one has left it. */
  readonly onDemand: boolean
  readonly direct: boolean
}

/** The mode that a node's state and flags ask for. */
export function fileMode(readOnly: boolean, flags: Pick<OpenFlags, 'autoReadOnly' | 'direct'>): FileMode {
  return { readOnly, onDemand: !readOnly && flags.autoReadOnly, direct: flags.direct }
}

/** What an open file consists of. */
export interface OpenFileParts {
  readonly filename: string
  readonly kind: StorageKind
  readonly mode: FileMode
  readonly file: HostFile
  readonly libc: Libc | undefined
  /** `undefined`: others are not kept out. */
  readonly lock: ImageLock | undefined
}

/** The file of one node. A change of mode is another descriptor of the same file: the old one goes when it is idle. */
export class OpenFile {
  readonly #filename: string
  readonly #kind: StorageKind
  readonly #libc: Libc | undefined
  readonly #lock: ImageLock | undefined
  #mode: FileMode
  #file: HostFile
  #canWrite: boolean
  /** A former descriptor that still holds the locks. */
  #lockKeeper: HostFile | undefined
  #permissions: LockPermissions = { taken: 0, shared: Permissions.all }

  constructor(parts: OpenFileParts) {
    this.#filename = parts.filename
    this.#kind = parts.kind
    this.#mode = parts.mode
    this.#file = parts.file
    this.#canWrite = !parts.mode.readOnly && !parts.mode.onDemand
    this.#libc = parts.libc
    this.#lock = parts.lock
  }

  /** The descriptor, now: not to be kept over an `await` outside `HostFile.during`. */
  get current(): HostFile {
    return this.#file
  }

  /**
   * Takes the locks for `permissions`, and another descriptor where they need one.
   *
   * @throws BlockError the lock message, or `Could not open 'x': …`; everything is as it was then
   */
  setPermissions(permissions: LockPermissions): void {
    const needsWriting = (permissions.taken & writing) !== 0
    const old = this.#permissions
    if (this.#mode.onDemand && needsWriting && !this.#canWrite) {
      const file = this.#openNow(false)
      try {
        this.#lock?.update(permissions)
        this.#take(file, true, () => this.#lock?.update(old))
      } catch (error) {
        file.retire()
        throw error
      }
    } else {
      this.#lock?.update(permissions)
    }
    this.#permissions = permissions
    if (this.#mode.onDemand && !needsWriting && this.#canWrite) this.#stopWriting()
  }

  /**
   * Gets a descriptor ready for another mode.
   *
   * @throws BlockError as `openStorage`; `ESTALE` where the name leads to another file by now
   */
  async prepare(mode: FileMode): Promise<PreparedReopen> {
    const canWrite = this.#willWrite(mode)
    if (canWrite === this.#canWrite && mode.direct === this.#mode.direct) {
      return { commit: () => this.#setMode(mode), abort: () => {} }
    }
    const file = await openStorage(this.#filename, this.#storageMode(!canWrite, mode.direct), this.#libc)
    try {
      requireSame(this.#filename, this.#file, file)
    } catch (error) {
      await file.close()
      throw error
    }
    return {
      commit: () => {
        this.#commit(file, canWrite)
        this.#setMode(mode)
      },
      abort: () => file.close(),
    }
  }

  /**
   * Runs `work` on a descriptor that takes requests of any length, which direct I/O does not.
   *
   * @throws BlockError as `openAgainNow`, or what `work` throws
   */
  async buffered<T>(work: (file: HostFile) => Promise<T>): Promise<T> {
    if (this.#file.direct === undefined) return work(this.#file)
    const file = await openStorage(this.#filename, this.#storageMode(false, false), this.#libc)
    try {
      requireSame(this.#filename, this.#file, file)
      return await work(file)
    } finally {
      await file.close()
    }
  }

  async close(): Promise<void> {
    this.#lockKeeper?.retire()
    await this.#file.close()
  }

  /** Writers may come with the very change that makes the node writable. */
  #willWrite(mode: FileMode): boolean {
    if (mode.readOnly) return false
    return !mode.onDemand || this.#mode.readOnly || (this.#permissions.taken & writing) !== 0
  }

  #setMode(mode: FileMode): void {
    this.#mode = mode
    const needsWriting = (this.#permissions.taken & writing) !== 0
    if (mode.onDemand && !needsWriting && this.#canWrite) this.#stopWriting()
  }

  #stopWriting(): void {
    try {
      const file = this.#openNow(true)
      this.#take(file, false, () => file.retire())
    } catch (error) {
      // A descriptor that could write and is not used for it does no harm; what the user asked for has been done.
      if (!(error instanceof BlockError)) throw error
    }
  }

  /** @param undo - where the locks cannot be moved */
  #take(file: HostFile, canWrite: boolean, undo: () => void): void {
    try {
      this.#lock?.moveTo(file.fd)
    } catch (error) {
      undo()
      throw error
    }
    this.#use(file, canWrite).retire()
  }

  /** Cannot fail any more: locks that do not move stay where they are, on a descriptor that stays open for them. */
  #commit(file: HostFile, canWrite: boolean): void {
    const old = this.#use(file, canWrite)
    try {
      if (this.#lockKeeper === undefined) this.#lock?.moveTo(file.fd)
      old.retire()
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      this.#lockKeeper = old
    }
  }

  /** @returns the descriptor that was used until now */
  #use(file: HostFile, canWrite: boolean): HostFile {
    const old = this.#file
    this.#file = file
    this.#canWrite = canWrite
    return old
  }

  #openNow(readOnly: boolean): HostFile {
    return openAgainNow(this.#filename, this.#storageMode(readOnly, this.#mode.direct), this.#file, this.#libc)
  }

  #storageMode(readOnly: boolean, direct: boolean): StorageMode {
    return { kind: this.#kind, readOnly, synchronous: this.#file.synchronous, direct }
  }
}
