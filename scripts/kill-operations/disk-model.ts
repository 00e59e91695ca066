/**
 * What a disk may show after its process was killed. A kill is no power cut: what a system call has taken stays. What only
 * the process knew, mappings above all, is gone as far as no flush has brought it to the file.
 *
 * A sector is known by its stamp: 0 for zeroes, or the number that fills it.
 */
import type { Operation, SectorRun } from './operation.ts'

/** Stamp of a sector that is not filled with one number: half of one write and half of another. */
export const torn = 0xffffffff

/** What was found in an image. */
export interface Found {
  readonly sectors: Uint32Array
  /** By name, what each snapshot shows. */
  readonly snapshots: ReadonlyMap<string, Uint32Array>
  /** The backing file's own content. */
  readonly base: Uint32Array | undefined
}

/** Follows the operations on one image, and judges what is found. */
export class DiskModel {
  #sectors: Uint32Array
  /** What a sector may still show instead: it was there when the last flush ended, or since. */
  #instead = new Map<number, Set<number>>()
  #snapshots: Map<string, Uint32Array>
  #base: Uint32Array | undefined
  #baseInstead: Uint32Array | undefined

  /** @param found - what the image shows when nothing is under way; durable, as far as a kill goes */
  constructor(found: Found) {
    this.#sectors = found.sectors.slice()
    this.#snapshots = new Map(found.snapshots)
    this.#base = found.base
  }

  /** The operation has ended: what it did is seen by everybody who asks this process. */
  done(operation: Operation): void {
    switch (operation.kind) {
      case 'snapshot':
        this.#snapshots.set(operation.name, this.#sectors.slice())
        break
      case 'delete':
        this.#snapshots.delete(operation.name)
        break
      case 'apply':
        this.#sectors = this.#snapshots.get(operation.name)!.slice()
        break
      case 'resize':
        this.#resize(operation.sectors)
        break
      case 'commit':
        this.#base = this.#committed()
        this.#baseInstead = undefined
        break
      default:
        for (const [sector, stamp] of this.#changes(operation)) {
          this.#allow(sector, this.#sectors[sector]!)
          this.#sectors[sector] = stamp
        }
    }
    if (flushes.has(operation.kind)) this.#instead.clear()
  }

  /** The operation had begun when the process was killed, and has not ended: any part of it may be there. */
  begun(operation: Operation): void {
    if (operation.kind === 'commit') this.#baseInstead = this.#committed()
    else for (const [sector, stamp] of this.#changes(operation)) this.#allow(sector, stamp)
  }

  /** Takes what was found, and had no problems, for what is there. */
  settle(found: Found): void {
    for (const name of found.snapshots.keys()) {
      if (!this.#snapshots.has(name)) this.#snapshots.set(name, this.#sectors.slice())
    }
    for (const name of [...this.#snapshots.keys()]) if (!found.snapshots.has(name)) this.#snapshots.delete(name)
    this.#sectors = found.sectors.slice()
    this.#instead.clear()
    this.#base = found.base
    this.#baseInstead = undefined
  }

  /** What is wrong with the image, in words. @param inFlight - the operation that `begun` was told of */
  problems(found: Found, inFlight: Operation | undefined): string[] {
    const problems = this.#contentProblems(found.sectors, inFlight)
    for (const [name, sectors] of found.snapshots) {
      const isNew = inFlight?.kind === 'snapshot' && inFlight.name === name
      const expected = this.#snapshots.get(name) ?? (isNew ? this.#sectors : undefined)
      if (expected === undefined) problems.push(`there is a snapshot ${name}`)
      else problems.push(...snapshotProblems(name, sectors, expected))
    }
    for (const name of this.#snapshots.keys()) {
      const isGoing = inFlight?.kind === 'delete' && inFlight.name === name
      if (!found.snapshots.has(name) && !isGoing) problems.push(`snapshot ${name} is gone`)
    }
    return [...problems, ...this.#baseProblems(found.base)]
  }

  #contentProblems(found: Uint32Array, inFlight: Operation | undefined): string[] {
    const problems = differences('the disk', found, this.#sectors, this.#instead)
    if (problems.length === 0) return []
    // These are all or nothing: the disk as it was, or as it is to be.
    if (inFlight?.kind === 'apply') {
      const whole = differences('the disk', found, this.#snapshots.get(inFlight.name)!)
      return whole.length === 0 ? [] : [...problems, ...whole]
    }
    if (inFlight?.kind === 'resize' && found.length === inFlight.sectors) {
      return differences('the disk', found, resized(this.#sectors, inFlight.sectors), this.#instead)
    }
    return problems
  }

  #baseProblems(found: Uint32Array | undefined): string[] {
    if (this.#base === undefined || found === undefined) return []
    const next = this.#baseInstead
    // Only a commit makes the backing file longer, before it writes there.
    const expected = next !== undefined && found.length === next.length ? resized(this.#base, next.length) : this.#base
    const instead = new Map<number, Set<number>>()
    for (const [sector, stamp] of (next ?? []).entries()) instead.set(sector, new Set([stamp]))
    return differences('the backing file', found, expected, instead)
  }

  *#changes(operation: Operation): Generator<readonly [number, number]> {
    if (operation.kind === 'empty') {
      for (const sector of this.#sectors.keys()) yield [sector, this.#base?.[sector] ?? 0]
    } else if ('runs' in operation) {
      const stamp = 'stamp' in operation ? operation.stamp : 0
      for (const sector of sectorsOf(operation.runs)) yield [sector, stamp]
    }
  }

  /** The backing file after a commit: everything that the overlay shows, and what lies beyond its end. */
  #committed(): Uint32Array {
    const longest = Math.max(this.#base?.length ?? 0, this.#sectors.length)
    const sectors = resized(this.#base ?? new Uint32Array(0), longest)
    sectors.set(this.#sectors)
    return sectors
  }

  #resize(sectors: number): void {
    for (const sector of this.#instead.keys()) if (sector >= sectors) this.#instead.delete(sector)
    this.#sectors = resized(this.#sectors, sectors)
  }

  #allow(sector: number, stamp: number): void {
    const allowed = this.#instead.get(sector) ?? new Set()
    this.#instead.set(sector, allowed.add(stamp))
  }
}

/** Operations that end with a flush. */
const flushes: ReadonlySet<string> = new Set([
  'flush',
  'reopen',
  'snapshot',
  'apply',
  'delete',
  'amend',
  'commit',
] satisfies Operation['kind'][])

/** A snapshot is shown in the disk's present length, whatever its own is. */
function snapshotProblems(name: string, found: Uint32Array, expected: Uint32Array): string[] {
  const count = Math.min(found.length, expected.length)
  return differences(`snapshot ${name}`, found.subarray(0, count), expected.subarray(0, count))
}

function* sectorsOf(runs: readonly SectorRun[]): Generator<number> {
  for (const { first, count } of runs) for (let i = 0; i < count; i++) yield first + i
}

function resized(sectors: Uint32Array, length: number): Uint32Array {
  const result = new Uint32Array(length)
  result.set(sectors.subarray(0, length))
  return result
}

function differences(
  what: string,
  found: Uint32Array,
  expected: Uint32Array,
  instead: ReadonlyMap<number, ReadonlySet<number>> = new Map(),
): string[] {
  if (found.length !== expected.length) return [`${what} has ${found.length} sectors, expected ${expected.length}`]
  const wrong: number[] = []
  for (const [sector, stamp] of found.entries()) {
    if (stamp !== expected[sector] && instead.get(sector)?.has(stamp) !== true) wrong.push(sector)
  }
  const [first] = wrong
  if (first === undefined) return []
  const allowed = [expected[first], ...(instead.get(first) ?? [])].join(' or ')
  const stamp = found[first] === torn ? 'is torn' : `shows ${found[first]}`
  return [
    `${what}: sector ${first} ${stamp}, expected ${allowed}${wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : ''}`,
  ]
}

/** Stamps of a raw disk. */
export function stampsOf(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  const stamps = new Uint32Array(bytes.length / 512)
  for (const sector of stamps.keys()) {
    const first = words[sector * 128]!
    const isWhole = words.subarray(sector * 128, (sector + 1) * 128).every((word) => word === first)
    stamps[sector] = isWhole ? first : torn
  }
  return stamps
}
