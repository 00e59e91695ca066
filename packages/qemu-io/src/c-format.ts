/** Numbers as C's `printf` writes them. */

/**
 * `%.<digits>f`. Of two equally near results C takes the even one, JavaScript the larger.
 *
 * @param value - `Infinity` is `inf`, as in C; `NaN` is `-nan`, as the reference's division of nothing by no time prints
 */
export function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return '-nan'
  if (!Number.isFinite(value)) return 'inf'
  if (value >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '')
  const exact = value.toFixed(60)
  const cut = exact.indexOf('.') + 1 + digits
  const isTie = /^50*$/.test(exact.slice(cut))
  return isTie && /[02468]$/.test(exact.slice(0, cut)) ? exact.slice(0, cut) : value.toFixed(digits)
}
