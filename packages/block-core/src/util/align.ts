/** Rounding of offsets and lengths to a granularity. */

// All of it divides: offsets pass 2^32 and JavaScript's bit operators are 32 bits wide. Every quotient and product of
// safe integers here is exact, because `%` on doubles is exact.

/**
 * Largest multiple of `alignment` that is not above `value`.
 *
 * @param value - non-negative safe integer
 * @param alignment - positive safe integer, not necessarily a power of two
 */
export function alignDown(value: number, alignment: number): number {
  return value - (value % alignment)
}

/**
 * Smallest multiple of `alignment` that is not below `value`.
 *
 * @param value - non-negative safe integer; the result may pass 2^53 where `value` is close to it
 * @param alignment - positive safe integer, not necessarily a power of two
 */
export function alignUp(value: number, alignment: number): number {
  const rest = value % alignment
  return rest === 0 ? value : value + (alignment - rest)
}

/** Whether `value` is a multiple of `alignment`; both as for `alignDown`. */
export function isAligned(value: number, alignment: number): boolean {
  return value % alignment === 0
}

/** How many pieces of `size` are needed to cover `value`: the quotient, rounded up. */
export function ceilDiv(value: number, size: number): number {
  // Not Math.ceil(value / size): the quotient itself may be rounded once it passes 2^53 / size.
  const rest = value % size
  return (value - rest) / size + (rest === 0 ? 0 : 1)
}
