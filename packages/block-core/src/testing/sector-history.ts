/** What each sector of a disk may show after a power cut: what was last flushed, or something written to it since. */

const sector = 512

interface Change {
  readonly first: number
  readonly end: number
  readonly value: number
  readonly interval: number
}

/**
 * The history of a disk whose requests are whole sectors of one byte value each; `interval` is the store's
 * `currentInterval` at the time.
 *
 * @example
 * import { SectorHistory } from '@blocklayer/block-core/testing'
 *
 * const history = new SectorHistory(new Uint8Array(1024))
 * history.change(0, 512, 7, 0)
 * history.flushed(1)
 * history.verify(new Uint8Array(1024).fill(7, 0, 512), 1, 'after the flush')
 */
export class SectorHistory {
  readonly #start: Uint8Array
  readonly #changes: Change[] = []
  /** After how many changes a flush had returned, and in which interval. */
  readonly #flushes: { readonly changes: number; readonly interval: number }[] = []

  /** @param start - durable content in the beginning, one value for each sector */
  constructor(start: Uint8Array) {
    this.#start = start.slice()
  }

  /** Call it before the request is made: from then on its data may be found. */
  change(offset: number, bytes: number, value: number, interval: number): void {
    this.#changes.push({ first: offset / sector, end: (offset + bytes) / sector, value, interval })
  }

  /** Call it when a flush has returned. */
  flushed(interval: number): void {
    this.#flushes.push({ changes: this.#changes.length, interval })
  }

  /** @throws Error where `content`, found after a cut in `interval`, holds what it must not */
  verify(content: Uint8Array, interval: number, what: string): void {
    const durable = this.#flushes.filter((flush) => flush.interval <= interval).at(-1)?.changes ?? 0
    for (let at = 0; at < content.length / sector; at++) {
      const touching = this.#changes.filter(({ first, end }) => first <= at && at < end)
      const last = this.#changes
        .slice(0, durable)
        .filter((change) => touching.includes(change))
        .at(-1)
      const since = this.#changes.slice(durable).filter((change) => touching.includes(change))
      const possible = since.filter((change) => change.interval <= interval).map(({ value }) => value)
      verifySector(content.subarray(at * sector, (at + 1) * sector), {
        allowed: [last?.value ?? this.#start[at * sector] ?? 0, ...possible],
        what: `${what}: sector ${at}`,
      })
    }
  }
}

function verifySector(bytes: Uint8Array, { allowed, what }: { allowed: readonly number[]; what: string }): void {
  const found = bytes[0]!
  if (!allowed.includes(found))
    throw new Error(`${what} holds ${found}, expected ${[...new Set(allowed)].join(' or ')}`)
  if (bytes.some((byte) => byte !== found)) throw new Error(`${what} is a mixture of two contents`)
}
