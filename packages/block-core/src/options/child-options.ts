/** Options that describe children: all keys below a prefix, or the name of a node that is open. */

import type { ParsedChild } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import { hashOrdered } from '../util/json.ts'
import type { FlatOptions } from './schema.ts'

/**
 * Removes from `flat` what lies below `prefix` and gives it with the prefix taken off.
 *
 * @param prefix - with its final dot: `file.`
 */
export function extractPrefix(flat: FlatOptions, prefix: string): FlatOptions {
  const found: FlatOptions = new Map()
  // In the reference's order, since that decides how keys stand that fall together in its hash table.
  for (const [key, value] of hashOrdered(flat)) {
    if (!key.startsWith(prefix)) continue
    found.set(key.slice(prefix.length), value)
    flat.delete(key)
  }
  return found
}

/**
 * The child that `name` and the keys below it describe, taken out of `flat`; `undefined` where nothing does. A scalar that
 * is not a string describes no child.
 */
export function takeChild(flat: FlatOptions, name: string): ParsedChild | undefined {
  const value = flat.get(name)
  flat.delete(name)
  const reference = typeof value === 'string' ? value : undefined
  const options = extractPrefix(flat, `${name}.`)
  if (reference === undefined && options.size === 0) return undefined
  return { kind: 'parsed-child', options, reference }
}

/**
 * The children that `name.0`, `name.1` … and the keys below them describe, taken out of `flat`. An item that describes
 * nothing is `undefined`: attaching it fails in the words that are due.
 *
 * @throws BlockError `EINVAL` `Option <name> is not a valid array` for a gap, for other keys, or for an item that has
 *   both a name and options
 */
export function takeChildList(flat: FlatOptions, name: string): readonly (ParsedChild | undefined)[] {
  const below = extractPrefix(flat, `${name}.`)
  const children: (ParsedChild | undefined)[] = []
  for (let index = '0'; ; index = String(children.length)) {
    const isNamed = below.has(index)
    const isDescribed = [...below.keys()].some((key) => key.startsWith(`${index}.`))
    if (!isNamed && !isDescribed) break
    if (isNamed && isDescribed) throw notAnArray(name)
    children.push(takeChild(below, index))
  }
  if (below.size > 0) throw notAnArray(name)
  return children
}

function notAnArray(name: string): BlockError {
  return new BlockError('EINVAL', `Option ${name} is not a valid array`)
}
