/** `json:{…}` file names: a whole node tree in the place of a name. */

import { BlockError } from '../errors.ts'
import { hashOrdered } from '../util/json.ts'
import { type JsonTree, parseQemuJson } from './json-parse.ts'
import type { FlatOptions } from './schema.ts'

/** What a file name begins with if the rest of it is JSON. */
export const jsonPrefix: string = 'json:'

/**
 * The options that a `json:` name holds, nested keys joined by dots. Scalars keep their JSON type; an empty object or
 * list stands as `null` under its own key, an option that nobody understands (`backing` excepted, see below).
 *
 * @param filename - begins with `json:`
 * @throws BlockError `EINVAL` `Could not parse the JSON options: …`, `Invalid JSON object given`, or `Invalid parameter
 *   type for 'backing', expected: object` for an empty container, which must not pass for the `null` of "no backing file"
 */
export function parseJsonFilename(filename: string): FlatOptions {
  const tree = parsePrefixed(filename.slice(jsonPrefix.length))
  if (!(tree instanceof Map)) throw new BlockError('EINVAL', 'Invalid JSON object given')
  const flat: FlatOptions = new Map()
  // Scalars of the top level first: where `"a.b"` and `"a": {"b"}` both stand, the nested one wins.
  for (const [key, value] of tree) if (!isContainer(value)) flat.set(key, value)
  for (const [key, value] of hashOrdered(tree)) if (isContainer(value)) flatten(value, key, flat)
  return flat
}

function parsePrefixed(text: string): JsonTree {
  try {
    return parseQemuJson(text)
  } catch (error) {
    throw error instanceof BlockError ? error.prepend('Could not parse the JSON options: ') : error
  }
}

function isContainer(value: JsonTree): value is JsonTree[] | Map<string, JsonTree> {
  return Array.isArray(value) || value instanceof Map
}

function flatten(container: JsonTree[] | Map<string, JsonTree>, path: string, flat: FlatOptions): void {
  const members: [string, JsonTree][] = Array.isArray(container)
    ? container.map((item, index) => [String(index), item])
    : hashOrdered(container)
  if (members.length === 0) setEmpty(path, flat)
  for (const [key, value] of members) {
    const memberPath = `${path}.${key}`
    if (isContainer(value)) flatten(value, memberPath, flat)
    else flat.set(memberPath, value)
  }
}

function setEmpty(path: string, flat: FlatOptions): void {
  if (path === 'backing' || path.endsWith('.backing')) {
    throw new BlockError('EINVAL', "Invalid parameter type for 'backing', expected: object")
  }
  flat.set(path, null)
}
