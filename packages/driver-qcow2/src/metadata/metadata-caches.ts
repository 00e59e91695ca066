/** The two table caches together: what is written when, and what waits for what. */

import type { Child } from '@blocklayer/block-core/driver'
import type { HeaderStore } from './header-store.ts'
import type { TableCache } from './table-cache.ts'

/** L2 tables and refcount blocks. */
export class MetadataCaches {
  readonly l2Tables: TableCache
  readonly refblocks: TableCache
  readonly #file: Child
  readonly #header: HeaderStore

  constructor(parts: { l2Tables: TableCache; refblocks: TableCache; file: Child; header: HeaderStore }) {
    this.l2Tables = parts.l2Tables
    this.refblocks = parts.refblocks
    this.#file = parts.file
    this.#header = parts.header
  }

  /**
   * Writes what is dirty. While the image is marked dirty its refcount blocks stay in memory: that is what lazy
   * refcounts save.
   */
  async store(): Promise<void> {
    await this.l2Tables.store()
    if (!this.#header.isDirty) await this.refblocks.store()
  }

  /** `store`, then a flush of the file. */
  async flush(): Promise<void> {
    await this.store()
    await this.#file.flush()
    await this.l2Tables.announceDurable()
  }

  /** Forgets what has not been used since the last call and needs no writing. */
  dropUnused(): void {
    this.l2Tables.dropUnused()
    this.refblocks.dropUnused()
  }

  /** Clears the dirty mark of a lazily counted image once all refcounts are on disk. */
  async markClean(): Promise<void> {
    await this.#header.markClean(() => this.flush())
  }

  /** Clears the corrupt mark after a repair. */
  async markConsistent(): Promise<void> {
    await this.#header.markConsistent(() => this.flush())
  }
}
