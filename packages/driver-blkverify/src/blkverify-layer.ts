/** An open blkverify node: every request goes to both copies, and both must answer alike. */

import {
  BlockError,
  type BlockLayer,
  bytesIn,
  type Child,
  type IoBuffers,
  type LayerWriteFlags,
  RangeLock,
  type TruncateRequest,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import { contentMismatch, outcomeMismatch, outcomeOf, type VerifiedRequest } from './compare.ts'

/** What an open node consists of. */
export interface BlkverifyParts {
  /** The copy that is known to be right. */
  readonly raw: Child
  readonly test: Child
  /** Prints a line for the user: tools often show no more of an error than its code. */
  readonly report: (line: string) => void
}

/** The tested image's data, checked. */
export class BlkverifyLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly #parts: BlkverifyParts
  /** The copies may serve overlapping requests in different orders; then they would differ and nothing be wrong. */
  readonly #ranges = new RangeLock()

  constructor(parts: BlkverifyParts) {
    this.#parts = parts
    // Zero writes come as data: the copies may zero in different ways, and their bytes are what counts. Discards do
    // not come at all: what is read afterwards may be anything, so there would be nothing to compare.
    this.writer = {
      write: (offset, data, flags) => this.#write(offset, data, flags),
      writev: (offset, data, flags) => this.#write(offset, data, flags),
      truncate: (length, options) => this.#truncate(length, options),
      truncateFlags: { zeroNewArea: true },
    }
  }

  get length(): number {
    return this.#parts.test.length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.readv(offset, [into])
  }

  async readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    const { raw, test } = this.#parts
    const request: VerifiedRequest = { type: 'read', offset, bytes: bytesIn(into) }
    const copy = new Uint8Array(request.bytes)
    await this.#ranges.run('shared', offset, request.bytes, () =>
      this.#both(request, test.read(offset, into), raw.read(offset, copy)),
    )
    this.#refuse(contentMismatch(request, into, copy))
  }

  /** Unknown, as in the reference. */
  async allocatedBytes(): Promise<undefined> {
    return undefined
  }

  exactFilename(): string | undefined {
    const raw = this.#parts.raw.node.filename
    const test = this.#parts.test.node.filename
    const isPlain = (filename: string) => filename !== '' && !filename.startsWith('json:')
    return isPlain(raw) && isPlain(test) ? `blkverify:${raw}:${test}` : undefined
  }

  dirname(): string {
    throw new BlockError('EINVAL', 'Cannot generate a base directory for blkverify nodes')
  }

  async close(): Promise<void> {}

  async #write(offset: number, data: IoBuffers, flags: LayerWriteFlags): Promise<void> {
    const { raw, test } = this.#parts
    const request: VerifiedRequest = { type: 'write', offset, bytes: bytesIn(data) }
    await this.#ranges.run('exclusive', offset, request.bytes, () =>
      this.#both(request, test.write(offset, data, flags), raw.write(offset, data, flags)),
    )
  }

  /** Both get the new length: copies of different lengths could never agree again. */
  async #truncate(length: number, options: TruncateRequest): Promise<void> {
    // Whoever watches sees one of them: the other takes as long again.
    const { onProgress, ...rest } = options
    await this.#parts.test.truncate(length, rest)
    await this.#parts.raw.truncate(length, options)
  }

  /** Waits for both; where both failed alike, that is how the request fails. */
  async #both(request: VerifiedRequest, testWork: Promise<void>, rawWork: Promise<void>): Promise<void> {
    const [test, raw] = await Promise.all([outcomeOf(testWork), outcomeOf(rawWork)])
    this.#refuse(outcomeMismatch(request, test, raw), test ?? raw)
    if (test !== undefined) throw test
  }

  /** Fails the request alone, not the program: other nodes have data to save. */
  #refuse(mismatch: string | undefined, cause?: BlockError): void {
    if (mismatch === undefined) return
    this.#parts.report(mismatch)
    throw new BlockError('EIO', mismatch, { cause })
  }
}
