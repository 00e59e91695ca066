/** Metadata that nobody asks for goes from memory after a while. */

import type { MetadataCaches } from '../metadata/metadata-caches.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'

/** Calls back once after `milliseconds`. @returns what takes it back */
export type After = (milliseconds: number, callback: () => void) => () => void

/** Longest delay that `setTimeout` can count; a longer one would fire at once. */
const delayMax = 2 ** 31 - 1

/** By the real clock. */
const afterTimeout: After = (milliseconds, callback) => {
  const timer: unknown = setTimeout(callback, Math.min(milliseconds, delayMax))
  // Where a program ends when nothing is left to do, this is nothing to do.
  ;(timer as { unref?(): void }).unref?.()
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>)
}

/** The image whose caches are cleaned; its rooms may be replaced while it is open. */
export interface CleanedImage {
  readonly lock: MetadataLock
  readonly caches: MetadataCaches
}

/**
 * Cleans the caches of an image at intervals: entries that are clean and were not used since the last time go.
 *
 * @see QEMU 7.2 block/qcow2.c: cache_clean_timer_cb
 */
export class CacheCleaner {
  readonly #image: CleanedImage
  readonly #after: After
  #cancel: (() => void) | undefined

  constructor(image: CleanedImage, after: After = afterTimeout) {
    this.#image = image
    this.#after = after
  }

  /** Cleans every `seconds` from now on; never where that is 0. */
  start(seconds: number): void {
    this.stop()
    if (seconds === 0) return
    this.#cancel = this.#after(seconds * 1000, () => {
      this.start(seconds)
      // Not while somebody works with the tables; whoever does will find them a moment later.
      const { lock, caches } = this.#image
      if (!lock.held) caches.dropUnused()
    })
  }

  /** Nothing more is cleaned. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
