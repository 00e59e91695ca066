/** What a format says about an image, as people read it. */

import type { InfoValue } from '../driver/layer-info.ts'
import { hashOrdered } from './json.ts'

/**
 * Facts as lines without their ends: dashes in names become spaces, records and lists are indented by four spaces more.
 *
 * @param members - in any order; the lines have the reference's
 * @param level - indentations of the outermost lines
 * @see QEMU 7.2 block/qapi.c: bdrv_image_info_specific_dump
 * @example
 * infoLines({ 'refcount-bits': 16 }, 1) // ['    refcount bits: 16']
 */
export function infoLines(members: { readonly [key: string]: InfoValue }, level: number): string[] {
  return hashOrdered(Object.entries(members)).flatMap(([key, value]) =>
    valueLines(key.replaceAll('-', ' '), value, level),
  )
}

function valueLines(label: string, value: InfoValue, level: number): string[] {
  const head = `${'    '.repeat(level)}${label}:`
  if (typeof value !== 'object') return [`${head} ${value}`]
  if (isList(value)) return [head, ...value.flatMap((item, index) => valueLines(`[${index}]`, item, level + 1))]
  return [head, ...infoLines(value, level + 1)]
}

/** `Array.isArray`, which by itself does not narrow read-only arrays. */
function isList(value: InfoValue): value is readonly InfoValue[] {
  return Array.isArray(value)
}
