/** Options that are lists: `inject-error.0.event=…`, `take-child-perms.0=…`. */

import { BlockError } from '../errors.ts'
import { hashOrdered } from '../util/json.ts'
import type { FlatOptions, OptionSpec } from './schema.ts'

/**
 * The dictionaries that `below` holds. Keys that stand there without an index make one dictionary of their own.
 *
 * @param spec - gives the name for messages and the keys that an item may have
 * @param below - not empty: what lay below `<name>.`, that prefix taken off
 * @throws BlockError `EINVAL` `Unused option '<key>' for [<name>]` (a gap in the indices), `Unknown option '<key>' for
 *   [<name>]`, `[<name>] section doesn't support the option '<key>'`, or `[<name>] section (index <i>) does not consist
 *   of keys`
 * @see QEMU 7.2 util/qemu-config.c: qemu_config_parse_qdict (messages observed from the tools)
 */
export function dictList(spec: OptionSpec, below: FlatOptions): readonly FlatOptions[] {
  const { name } = spec
  const isKnown = (key: string): boolean => spec.keys?.includes(key) ?? !/^\d/.test(key)
  if ([...below.keys()].some(isKnown)) {
    const unknown = firstKey(below, (key) => !isKnown(key))
    if (unknown === undefined) return [below]
    throw new BlockError('EINVAL', `Unknown option '${unknown}' for [${name}]`)
  }
  const items: FlatOptions[] = []
  for (const rest = new Map(below); rest.size > 0; ) {
    const index = String(items.length)
    const item = takeItem(rest, index)
    if (item.size === 0) {
      const isScalar = rest.has(index)
      const unused = `Unused option '${firstKey(rest, () => true)}' for [${name}]`
      throw new BlockError('EINVAL', isScalar ? `[${name}] section (index ${index}) does not consist of keys` : unused)
    }
    const unknown = spec.keys === undefined ? undefined : firstKey(item, (key) => !isKnown(key))
    if (unknown !== undefined) {
      throw new BlockError('EINVAL', `[${name}] section doesn't support the option '${unknown}'`)
    }
    items.push(item)
  }
  return items
}

/** Moves the keys of one list item out of `rest`, their index taken off. */
function takeItem(rest: FlatOptions, index: string): FlatOptions {
  const item: FlatOptions = new Map()
  for (const [key, value] of rest) {
    if (!key.startsWith(`${index}.`)) continue
    item.set(key.slice(index.length + 1), value)
    rest.delete(key)
  }
  return item
}

/**
 * The strings that `below` holds.
 *
 * @param below - not empty: what lay below `<name>.`, that prefix taken off
 * @throws BlockError `EINVAL` `Invalid parameter type for '<anonymous>', expected: array`, `Invalid parameter type for
 *   '[<i>]', expected: string`, or `List indices are not contiguous, saw <n> elements but <m> largest index`
 * @see QEMU 7.2 qobject/block-qdict.c: qdict_crumple (messages observed from the tools)
 */
export function stringList(below: FlatOptions): readonly string[] {
  const heads = new Set([...below.keys()].map((key) => key.split('.')[0] ?? ''))
  const indices = [...heads].filter((head) => /^\d+$/.test(head)).map(Number)
  if (indices.length === 0) {
    throw new BlockError('EINVAL', "Invalid parameter type for '<anonymous>', expected: array")
  }
  if (indices.length < heads.size) throw new BlockError('EINVAL', 'Cannot mix list and non-list keys')
  const largest = Math.max(...indices)
  if (largest !== heads.size - 1) {
    const seen = `saw ${heads.size} elements but ${largest} largest index`
    throw new BlockError('EINVAL', `List indices are not contiguous, ${seen}`)
  }
  return Array.from({ length: heads.size }, (_, index) => {
    const value = below.get(String(index))
    if (typeof value === 'string') return value
    throw new BlockError('EINVAL', `Invalid parameter type for '[${index}]', expected: string`)
  })
}

/** First key in hash order that `matches`. */
function firstKey(flat: FlatOptions, matches: (key: string) => boolean): string | undefined {
  return hashOrdered(flat).find(([key]) => matches(key))?.[0]
}
