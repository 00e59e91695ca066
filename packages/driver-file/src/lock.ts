/** Image locks: which permissions this process uses on a file and which it refuses to others, as qemu's tools see them. */

import { BlockError } from '@blocklayer/block-core/driver'
import { errnoOfResult } from './errors.ts'
import type { Libc } from './libc.ts'
import { lockHolders } from './lock-holders.ts'

/** Permissions with their bits, in the order in which conflicts are looked for. */
const permissionNames = ['consistent read', 'write', 'write unchanged', 'resize'] as const

/** All permission bits. */
const allPermissions = 15

/** Byte `usedBase + i` is locked while permission bit i is in use. */
const usedBase = 100

/** Byte `refusedBase + i` is locked while nobody else may use permission bit i. */
const refusedBase = 200

/** Commands and types of open file description locks. @see Linux fcntl(2), "Open file description locks" */
const ofdGetLock = 36
const ofdSetLock = 37
const readLock = 0
const writeLock = 1
const unlocked = 2

/** What a node's users need (`taken`) and what they let others do (`shared`), as sums of permission bits. */
export interface LockPermissions {
  readonly taken: number
  readonly shared: number
}

/** Whether the system has open file description locks: a query for a lock on byte 0 of `fd` is understood. */
export function hasFileLocks(libc: Libc, fd: number): boolean {
  return libc.fcntl(fd, ofdGetLock, new LockRecord(writeLock, 0).bytes) === 0
}

/**
 * The locks of one open file.
 *
 * All locks are shared ones, so two processes can always both hold a byte; a conflict is found by asking whether the
 * opposite byte could be locked exclusively. They belong to the open file description: closing the descriptor drops
 * them, and a second descriptor of the same file, even in this process, is somebody else.
 */
export class ImageLock {
  readonly #libc: Libc
  readonly #filename: string
  #fd: number
  #used = 0
  #refused = 0

  /** @param filename - as given to the driver; named in the hint */
  constructor(libc: Libc, fd: number, filename: string) {
    this.#libc = libc
    this.#fd = fd
    this.#filename = filename
  }

  /**
   * Holds exactly the locks for `permissions`, or, if it throws, exactly those held before.
   *
   * @throws BlockError `EAGAIN` `Failed to get "write" lock` where another process refuses what we need, or `Failed to
   *   get shared "write" lock` where another process uses what we cannot bear; with the reference's hint, and in
   *   `details.holders` the processes (`LockHolder`) that the system lets us see
   */
  update(permissions: LockPermissions): void {
    const used = permissions.taken & allPermissions
    const refused = ~permissions.shared & allPermissions
    const newUsed = used & ~this.#used
    const newRefused = refused & ~this.#refused
    // Lock first, then look: of two processes that do this at once at least one sees the other.
    if (newUsed !== 0 || newRefused !== 0) {
      try {
        this.#lock(usedBase, newUsed)
        this.#lock(refusedBase, newRefused)
        this.#requireFree(refusedBase, used, (name) => `Failed to get "${name}" lock`)
        this.#requireFree(usedBase, refused, (name) => `Failed to get shared "${name}" lock`)
      } catch (error) {
        this.#unlock(usedBase, newUsed)
        this.#unlock(refusedBase, newRefused)
        throw error
      }
    }
    this.#unlock(usedBase, this.#used & ~used)
    this.#unlock(refusedBase, this.#refused & ~refused)
    this.#used = used
    this.#refused = refused
  }

  /**
   * Takes the same locks on another descriptor of the same file, and uses that from now on; the old one has none any more.
   * No conflict is looked for: we hold these locks already, and our own old descriptor would be in the way.
   *
   * @throws BlockError where a lock cannot be taken; the old descriptor then still has all of them
   */
  moveTo(fd: number): void {
    const old = this.#fd
    this.#fd = fd
    try {
      this.#lock(usedBase, this.#used)
      this.#lock(refusedBase, this.#refused)
      // It may stay open for requests that are on their way, and must not stand in our own way then.
      this.#fd = old
      this.#unlock(usedBase, this.#used)
      this.#unlock(refusedBase, this.#refused)
      this.#fd = fd
    } catch (error) {
      this.#fd = old
      throw error
    }
  }

  #lock(base: number, bits: number): void {
    for (const bit of bitsOf(bits)) {
      const result = this.#libc.fcntl(this.#fd, ofdSetLock, new LockRecord(readLock, base + bit).bytes)
      if (result < 0) throw new BlockError(errnoOfResult(result), `Failed to lock byte ${base + bit}`)
    }
  }

  #unlock(base: number, bits: number): void {
    for (const bit of bitsOf(bits)) {
      const result = this.#libc.fcntl(this.#fd, ofdSetLock, new LockRecord(unlocked, base + bit).bytes)
      if (result < 0) throw new BlockError(errnoOfResult(result), `Failed to unlock byte ${base + bit}`)
    }
  }

  #requireFree(base: number, bits: number, message: (name: string) => string): void {
    for (const bit of bitsOf(bits)) {
      const record = new LockRecord(writeLock, base + bit)
      const result = this.#libc.fcntl(this.#fd, ofdGetLock, record.bytes)
      if (result === 0 && record.type === unlocked) continue
      throw new BlockError('EAGAIN', message(permissionNames[bit] ?? ''), {
        hint: `Is another process using the image [${this.#filename}]?`,
        details: { holders: lockHolders(this.#fd, base + bit) },
      })
    }
  }
}

/** `struct flock` of 64-bit Linux for one byte: type, whence, start and length, in the machine's own byte order. */
class LockRecord {
  readonly bytes: Uint8Array = new Uint8Array(32)
  readonly #types: Int16Array = new Int16Array(this.bytes.buffer, 0, 2)

  constructor(type: number, start: number) {
    this.#types[0] = type
    const range = new BigInt64Array(this.bytes.buffer, 8, 2)
    range[0] = BigInt(start)
    range[1] = 1n
  }

  /** After a query: `unlocked`, or the type of the lock that is in the way. */
  get type(): number {
    return this.#types[0] ?? unlocked
  }
}

function bitsOf(bits: number): number[] {
  return [0, 1, 2, 3].filter((bit) => (bits & (1 << bit)) !== 0)
}
