/** What each sector of a disk may show, now and after a power cut. */

/** Bytes. */
export const sectorBytes = 512

/** Values are numbers of writes; 0 is zeroes. */
type Values = readonly number[]

/** One disk. */
export class SectorModel {
  /** What may be read now. */
  #now: Values[]
  /** What may be found after a power cut. */
  #after: Set<number>[]
  /** How long it is. */
  sectors: number

  /** @param values - what is there, durably */
  constructor(values: readonly number[]) {
    this.#now = values.map((value) => [value])
    this.#after = values.map((value) => new Set([value]))
    this.sectors = values.length
  }

  /** The range holds one of these; `keeps`: or what it held before. */
  set(first: number, count: number, values: Values, keeps: boolean): void {
    for (let at = first; at < first + count; at++) {
      this.#now[at] = keeps ? [...new Set([...(this.#now[at] ?? [0]), ...values])] : values
      const after = this.#after[at] ?? new Set([0])
      for (const value of values) after.add(value)
      this.#after[at] = after
    }
  }

  /** The disk has another length; what is new is zeroes. */
  resize(sectors: number): void {
    for (let at = this.sectors; at < sectors; at++) {
      this.#now[at] = [0]
      this.#after[at] = new Set([...(this.#after[at] ?? []), 0])
    }
    this.#now.length = sectors
    this.sectors = sectors
  }

  /** All that may be read now is durable. */
  flushed(): void {
    this.#after = this.#now.map((values) => new Set(values))
  }

  /** The power failed: what was not flushed may be gone. */
  cut(sectors: number): void {
    this.sectors = sectors
    this.#now = Array.from({ length: sectors }, (_, at) => [...(this.#after[at] ?? [0]), ...(this.#now[at] ?? [])])
  }

  /** What the sector may show now. */
  allowed(sector: number): Values {
    return this.#now[sector] ?? [0]
  }

  /** What was seen stays. @returns the first sector that shows what it must not */
  see(first: number, values: readonly number[]): string | undefined {
    for (let index = 0; index < values.length; index++) {
      const allowed = this.#now[first + index] ?? [0]
      const value = values[index]!
      if (!allowed.includes(value)) return `sector ${first + index} shows ${value}, allowed: ${allowed.join(' ')}`
      this.#now[first + index] = [value]
      this.#after[first + index]?.add(value)
    }
    return undefined
  }

  /** What the disk may show now, for a snapshot of it. */
  copy(): SectorModel {
    const copy = new SectorModel([])
    copy.#now = this.#now.slice()
    copy.#after = this.#now.map((values) => new Set(values))
    copy.sectors = this.sectors
    return copy
  }
}

/** Bytes of sectors that all hold `value`. */
export function sectorsOf(value: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * sectorBytes)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, value)
  return bytes
}

/** What the sectors hold; -1 for a mixture. */
export function valuesOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / sectorBytes }, (_, sector) => {
    const value = view.getUint32(sector * sectorBytes)
    for (let at = 4; at < sectorBytes; at += 4) if (view.getUint32(sector * sectorBytes + at) !== value) return -1
    return value
  })
}
