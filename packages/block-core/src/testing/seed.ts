/** Random numbers that a seed brings back. */

/** A generator of numbers; the same seed gives the same sequence everywhere. */
export interface Random {
  readonly seed: number
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number
  /** One of the values. */
  pick<T>(values: readonly T[]): T
  /** True with the given probability. */
  chance(probability: number): boolean
}

/** A generator for `seed` (mulberry32: small, fast, and good enough to choose test cases). */
export function random(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    seed,
    below: (limit) => Math.floor(next() * limit),
    pick: (values) => values[Math.floor(next() * values.length)]!,
    chance: (probability) => next() < probability,
  }
}
