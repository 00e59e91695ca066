/** What contract cases share: reading, and demanding failures. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import { BlockError } from '../../errors.ts'
import type { MemoryStore } from '../memory-driver.ts'
import type { ContractStorage, StoredImage, StoredOpenOptions } from './types.ts'

/** Kibibyte. */
export const KiB = 1024

/** The range's content. */
export async function readBack(disk: BlockBackend, offset: number, bytes: number): Promise<Uint8Array> {
  // Not zero, so that a driver that leaves the buffer alone is found out.
  const into = new Uint8Array(bytes).fill(0xa5)
  await disk.read(offset, into)
  return into
}

/** The whole disk. */
export function readAll(disk: BlockBackend): Promise<Uint8Array> {
  return readBack(disk, 0, disk.length)
}

/** Runs `work` and demands that it fails with one of `codes`. */
export async function expectErrno(
  codes: string | readonly string[],
  work: () => Promise<unknown>,
): Promise<BlockError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof BlockError && [codes].flat().includes(error.code)) return error
    throw error
  }
  throw new Error(`expected ${[codes].flat().join(' or ')}, but the request succeeded`)
}

/** Throws with `message` unless `condition` holds. */
export function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message)
}

/**
 * Runs what a driver may lack. What it declares to have must work, what it declares to lack must be refused.
 *
 * @returns whether it worked
 */
export async function ifAble(
  declared: boolean | undefined,
  what: string,
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work()
  } catch (error) {
    if (declared === true || !(error instanceof BlockError) || !isRefusal(error)) throw error
    return false
  }
  if (declared === false) throw new Error(`${what} is declared to be impossible, but it succeeded`)
  return true
}

/** Refused by name: the errno for it, or the reference's words where it has another errno. */
export function isRefusal(error: BlockError): boolean {
  return error.code === 'ENOTSUP' || /does not support/.test(error.message)
}

/** Opens `store`, works, and closes however that ends. */
export async function withStored<T>(
  storage: ContractStorage,
  store: MemoryStore,
  options: StoredOpenOptions,
  work: (image: StoredImage) => Promise<T>,
): Promise<T> {
  const image = await storage.open(store, options)
  try {
    return await work(image)
  } finally {
    await image.close()
  }
}

/**
 * Demands that a check, where the driver has one, finds no corruption in `store`; leaks are allowed. An image that says
 * of itself that it is dirty is first opened writable, which is when its driver mends it.
 *
 * @returns the image's content
 */
export async function expectSound(storage: ContractStorage, store: MemoryStore, what: string): Promise<Uint8Array> {
  const dirty = await withStored(storage, store, { readOnly: true, check: true }, async ({ disk }) => disk.info.dirty)
  if (dirty === true) await withStored(storage, store, {}, async () => {})
  return withStored(storage, store, { readOnly: true }, async ({ disk }) => {
    await ifAble(undefined, 'a check', async () => {
      const { corruptions, checkErrors } = await disk.check()
      demand(corruptions === 0, `${what}: the check finds ${corruptions} corruptions`)
      demand(checkErrors === 0, `${what}: the check meets ${checkErrors} errors`)
    })
    return readAll(disk)
  })
}

/** The whole content of the image in `store`. */
export function contentOf(storage: ContractStorage, store: MemoryStore): Promise<Uint8Array> {
  return withStored(storage, store, { readOnly: true }, ({ disk }) => readAll(disk))
}
