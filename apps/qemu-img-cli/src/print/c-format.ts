/** Numbers as C's `printf` writes them; JavaScript rounds halves up where C rounds them to even. */

/**
 * `%.2f`.
 *
 * @param value - not negative, below 2^40
 */
export function fixed2(value: number): string {
  return roundHalfEven(value, 2)
}

/**
 * `%0.3g`: at most three significant digits, no trailing zeroes; what rounds up to 1000 is `1e+03`.
 *
 * @param value - below 1000, and 0 or at least 0.001
 */
export function general3(value: number): string {
  if (value === 0) return '0'
  const exponent = Number(value.toExponential(20).split('e')[1])
  const rounded = Number(roundHalfEven(value, 2 - exponent))
  return rounded >= 1000 ? '1e+03' : String(rounded)
}

function roundHalfEven(value: number, decimals: number): string {
  const scaled = value * 10 ** decimals
  const below = Math.floor(scaled)
  // The product of an exact half is exact: a half needs few bits. So this comparison finds real ties only.
  if (scaled - below === 0.5 && below % 2 === 0) return (below / 10 ** decimals).toFixed(decimals)
  return value.toFixed(decimals)
}
