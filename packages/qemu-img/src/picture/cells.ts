/** A map of bytes in cells: however many runs there are, a picture has no more cells than it can show. */

/** Cells of a map at most. */
export const cellsMax = 1536

/** What a part of a map is. */
export interface CellKind {
  /** Word of the style sheet. */
  readonly id: string
  /** For the legend. */
  readonly label: string
}

/** What a map is made of. */
export interface CellMapOptions {
  /** Bytes of what is shown. */
  readonly bytes: number
  /** A cell is a multiple of it. */
  readonly unit: number
  readonly kinds: readonly CellKind[]
  /** What bytes of no kind are called. */
  readonly empty: string
}

/** Bytes of each kind in each cell. What is of no kind is empty. */
export class CellMap {
  readonly bytes: number
  readonly kinds: readonly CellKind[]
  readonly emptyLabel: string
  /** Bytes that a cell stands for; the last one may stand for less. */
  readonly cellBytes: number
  readonly count: number
  /** Bytes of each kind. */
  readonly totals: Float64Array
  readonly #sums: Float64Array

  constructor({ bytes, unit, kinds, empty }: CellMapOptions) {
    this.bytes = bytes
    this.kinds = kinds
    this.emptyLabel = empty
    this.cellBytes = Math.max(unit, Math.ceil(bytes / cellsMax / unit) * unit)
    this.count = Math.ceil(bytes / this.cellBytes)
    this.totals = new Float64Array(kinds.length)
    this.#sums = new Float64Array(this.count * kinds.length)
  }

  /** Adds a run of a kind; what lies past the end is left out. */
  add(kind: number, offset: number, bytes: number): void {
    const end = Math.min(offset + bytes, this.bytes)
    if (end <= offset) return
    this.totals[kind]! += end - offset
    for (let at = offset; at < end; ) {
      const cell = Math.floor(at / this.cellBytes)
      const next = Math.min(end, (cell + 1) * this.cellBytes)
      this.#sums[cell * this.kinds.length + kind]! += next - at
      at = next
    }
  }

  /** Bytes of a kind in a cell. */
  get(cell: number, kind: number): number {
    return this.#sums[cell * this.kinds.length + kind]!
  }

  /** Bytes that a cell stands for. */
  bytesOf(cell: number): number {
    return Math.min(this.cellBytes, this.bytes - cell * this.cellBytes)
  }

  /** Bytes of no kind. */
  get empty(): number {
    return Math.max(0, this.bytes - this.totals.reduce((sum, bytes) => sum + bytes, 0))
  }
}
