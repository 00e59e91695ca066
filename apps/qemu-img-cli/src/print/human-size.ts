/** Sizes for people: `1 MiB`, three significant digits, as the reference prints them. */

import { general3 } from './c-format.ts'

const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const

/**
 * `bytes` with a binary unit, chosen so that about three digits stand before it.
 *
 * @param bytes - not negative
 * @returns for instance `196 KiB`; three significant digits as C's `%0.3g`, so 1023488 is `1e+03 KiB`
 * @see QEMU 7.2 util/cutils.c: size_to_str
 */
export function humanSize(bytes: number | bigint): string {
  const value = Number(bytes)
  const exponent = unitIndex(value)
  return `${general3(value / 1024 ** exponent)} ${units[exponent] ?? ''}B`
}

/** The unit changes where the number before it would need four digits: at 1000/1024 of the next unit. */
function unitIndex(value: number): number {
  const scaled = value / (1000 / 1024)
  let index = 0
  while (index < units.length - 1 && scaled >= 1024 ** (index + 1)) index++
  return index
}
