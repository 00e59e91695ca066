/** Reads for contract cases. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import { BlockError } from '../../errors.ts'

/** The range's content. */
export async function readBack(disk: BlockBackend, offset: number, bytes: number): Promise<Uint8Array> {
  // Not zero, so that a driver that leaves the buffer alone is found out.
  const into = new Uint8Array(bytes).fill(0xa5)
  await disk.read(offset, into)
  return into
}

/** Runs `work` and demands that it fails with `code`. */
export async function expectErrno(code: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof BlockError && error.code === code) return
    throw error
  }
  throw new Error(`expected ${code}, but the request succeeded`)
}
