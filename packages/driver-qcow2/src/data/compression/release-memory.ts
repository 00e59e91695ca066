/** Gives memory back before the garbage collector would: it counts objects, and a small object may hold a whole cluster. */

/**
 * Ends the life of the memory in which `bytes` lie, and so of every view of it, where the runtime can (since ES2024);
 * elsewhere the garbage collector does it in its time. Only for memory that nobody else has: never for a share of a pool.
 */
export function releaseMemory({ buffer }: Uint8Array): void {
  const memory = buffer as { transfer?(bytes: number): unknown }
  memory.transfer?.(0)
}

/** Whether a library that was to work in pieces of `pieceBytes` made one for `output`: short ones are shares of a pool. */
export function hasOwnMemory({ buffer }: Uint8Array, pieceBytes: number): boolean {
  return buffer.byteLength === pieceBytes
}
