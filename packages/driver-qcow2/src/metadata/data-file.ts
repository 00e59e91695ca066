/** The file that holds the guest's data: the image's own, or another one. */

import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { autoclear, hasFeature } from '../format/features.ts'
import type { HeaderStore } from './header-store.ts'
import type { ImageFile } from './image-file.ts'

/**
 * Where guest clusters lie. Tables always are in the image's own file.
 *
 * @see docs/interop/qcow2.txt, "external data file"; spec/qcow2.md, section 1.5
 */
export class DataFile {
  /** Guest data lies in a file of its own, each cluster at its guest offset. */
  readonly isExternal: boolean
  readonly #own: ImageFile
  readonly #header: HeaderStore
  #external: ImageFile | undefined

  constructor(parts: { readonly file: ImageFile; readonly header: HeaderStore; readonly isExternal: boolean }) {
    this.#own = parts.file
    this.#header = parts.header
    this.isExternal = parts.isExternal
  }

  /** Takes the other file, once, while the image is being opened. */
  attach(child: Child): void {
    this.#external = this.#own.beside(child)
  }

  /**
   * The file.
   *
   * @throws BlockError `ENOMEDIUM` where it was not opened, because nothing but metadata was to be read
   */
  get file(): Child {
    if (!this.isExternal) return this.#own
    if (this.#external === undefined) throw BlockError.fromErrno('ENOMEDIUM')
    return this.#external
  }

  /** Name of the child in which block status counts; `undefined` for the image's own file. */
  get childName(): string | undefined {
    return this.isExternal ? this.file.name : undefined
  }

  /** The file alone shows what the guest sees, to who knows nothing of the image. */
  get isRaw(): boolean {
    return this.isExternal && hasFeature(this.#header.header.autoclearFeatures, autoclear.rawExternalData)
  }

  /** Punches a hole. */
  async discard(offset: number, bytes: number): Promise<void> {
    await this.file.discard(offset, bytes)
  }

  /** Makes the guest's data durable. */
  async flush(): Promise<void> {
    await this.file.flush()
  }
}
