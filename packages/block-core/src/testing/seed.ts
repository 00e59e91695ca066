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

/**
 * A generator for `seed` (mulberry32: small, fast, and good enough to choose test cases).
 *
 * @example
 * import { random } from '@blocklayer/block-core/testing'
 *
 * const choose = random(7)
 * console.log(choose.below(10), choose.pick(['a', 'b']), choose.chance(0.5))
 */
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

/**
 * The seeds that a random test is to run with: those given, or the one that the environment names in `BLOCKLAYER_SEED`.
 * Put the seed into the test's name, so that a failure can be brought back.
 *
 * @throws RangeError for a variable that is no number from 0 to 2^32 - 1
 *
 * @example
 * import { seeds } from '@blocklayer/block-core/testing'
 *
 * for (const seed of seeds(1, 2, 3)) console.log(`a random history (seed ${seed})`)
 */
export function seeds(...defaults: readonly number[]): readonly number[] {
  // Not `process`: the suite runs in browsers too.
  const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } }
  const given = process?.env?.BLOCKLAYER_SEED
  if (given === undefined || given === '') return defaults
  const seed = Number(given)
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(`BLOCKLAYER_SEED is '${given}', not a number from 0 to 4294967295`)
  }
  return [seed]
}

/** Waits a random number of turns each time, so that requests in flight overtake each other; no clock is involved. */
export function randomPace(seed: number): () => Promise<void> {
  const choose = random(seed)
  return async () => {
    for (let turns = choose.below(24); turns > 0; turns--) await Promise.resolve()
  }
}
