/** Several disks that lose power at the same moment: which states of all of them a cut could leave. */
import { MemoryStore, random } from '@blocklayer/block-core/testing'

/** One change of one disk. */
interface Change {
  readonly disk: number
  apply(store: MemoryStore): void
}

/** All disks at one moment. */
export interface CutState {
  /** Number of the moment, and of the changes that were kept besides what was flushed: `3:0,2`. */
  readonly name: string
  readonly stores: readonly MemoryStore[]
}

/** How many of the states are made. */
export interface CutOptions {
  readonly seed: number
  /** Moments with up to this many unflushed changes get all subsets of them. */
  readonly exhaustive: number
  /** Random subsets of longer lists, besides none, all, each alone, all but one, and every prefix. */
  readonly samples: number
}

/**
 * Records the order of changes and flushes over all its disks. A flush makes only its own disk's changes durable: those
 * of the others stay in doubt, which is what one recorder for each disk could not tell.
 */
export class SharedPower {
  readonly #starts: Uint8Array[] = []
  readonly #log: (Change | { readonly flushed: number })[] = []

  /** A disk with this content. */
  disk(content: Uint8Array): MemoryStore {
    const number = this.#starts.push(content.slice()) - 1
    return new RecordedDisk(content, (change) => {
      this.#log.push(change === 'flush' ? { flushed: number } : { disk: number, apply: change })
    })
  }

  /** States at every moment before a flush and at the end: those in between have no others. */
  *states(options: CutOptions): Generator<CutState> {
    const durable = this.#starts.map((content) => new MemoryStore(content))
    let doubtful: Change[] = []
    let seen = 0
    let moment = 0
    for (const entry of [...this.#log, undefined]) {
      if (entry !== undefined && 'apply' in entry) {
        doubtful.push(entry)
        continue
      }
      if (doubtful.length !== seen || entry === undefined) yield* statesOf(moment++, durable, doubtful, options)
      for (const change of doubtful) if (change.disk === entry?.flushed) change.apply(durable[change.disk]!)
      doubtful = doubtful.filter(({ disk }) => disk !== entry?.flushed)
      seen = doubtful.length
    }
  }
}

function* statesOf(
  moment: number,
  durable: readonly MemoryStore[],
  doubtful: readonly Change[],
  options: CutOptions,
): Generator<CutState> {
  for (const kept of subsets(doubtful.length, options)) {
    const stores = durable.map((store) => new MemoryStore(store.bytes()))
    for (const index of kept) doubtful[index]!.apply(stores[doubtful[index]!.disk]!)
    yield { name: `${moment}:${kept.join(',')}`, stores }
  }
}

function subsets(count: number, { seed, exhaustive, samples }: CutOptions): number[][] {
  const all = Array.from({ length: count }, (_, index) => index)
  if (count <= exhaustive) {
    return Array.from({ length: 2 ** count }, (_, mask) => all.filter((bit) => (mask >> bit) % 2 === 1))
  }
  const choose = random(seed + count)
  return [
    [],
    ...all.map((index) => [index]),
    ...all.map((index) => all.filter((other) => other !== index)),
    ...all.map((end) => all.slice(0, end + 1)),
    ...Array.from({ length: samples }, () => all.filter(() => choose.chance(0.5))),
  ]
}

/** Tells of every change as something that can be done to another store. */
class RecordedDisk extends MemoryStore {
  readonly #record: (change: 'flush' | Change['apply']) => void

  constructor(content: Uint8Array, record: (change: 'flush' | Change['apply']) => void) {
    super(content)
    this.#record = record
  }

  override write(offset: number, data: Uint8Array): void {
    super.write(offset, data)
    const written = data.slice()
    this.#record((store) => store.write(offset, written))
  }

  override zero(offset: number, bytes: number): void {
    super.zero(offset, bytes)
    this.#record((store) => store.zero(offset, bytes))
  }

  override resize(length: number): void {
    const changed = length !== this.length
    super.resize(length)
    // Growing is part of the write that grows: recorded once.
    if (changed && !this.growing) this.#record((store) => store.resize(length))
  }

  override flush(): void {
    super.flush()
    this.#record('flush')
  }
}
