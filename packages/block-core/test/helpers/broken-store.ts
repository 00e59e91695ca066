/** A file of a test's world that stops taking writes when the test says so. */
import { BlockError } from '../../src/errors.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import type { World } from './world.ts'

export class BrokenStore extends MemoryStore {
  broken = false
  /** Called before each write. */
  beforeWrite: (() => void) | undefined

  override write(offset: number, data: Uint8Array): void {
    this.beforeWrite?.()
    if (this.broken) throw BlockError.fromErrno('EIO')
    super.write(offset, data)
  }
}

/** Puts such a store, with the same content, in the place of the file `name`. */
export function brokenStore(at: World, name: string): BrokenStore {
  const store = new BrokenStore(at.files.get(name)!.bytes())
  at.files.set(name, store)
  return store
}
