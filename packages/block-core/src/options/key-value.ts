/** Option strings, `a=b,c.d=e`: the kind that describes an image, and the kind that follows `-o`. */

import { BlockError } from '../errors.ts'
import type { FlatOptions } from './schema.ts'

/** How an image's option string is read. */
export interface KeyValueOptions {
  /** Key of the first element, if that has no `=`: `file` for `--image-opts`. */
  readonly impliedKey?: string
  /** Gets the warning about each boolean without `=`, two lines, without prefix. */
  readonly onDeprecated?: (message: string) => void
}

/** One element of an option string; `value` is `undefined` where it had no `=`. */
interface Element {
  readonly key: string
  readonly value: string | undefined
}

const identifierHint = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."

/**
 * Reads an option string such as `driver=qcow2,file.filename=a,,b`. Values are strings; `,,` in a value is one comma; a
 * key alone means `on`, with `no` in front `off`; of two equal keys the later wins; a final comma is ignored.
 *
 * @throws BlockError `EINVAL` `Parameter 'id' expects an identifier` (the reference's parser knows this one key)
 * @see QEMU 7.2 util/qemu-option.c: qemu_opts_parse_noisily (rules observed from `--image-opts`)
 */
export function parseKeyValue(text: string, options: KeyValueOptions = {}): FlatOptions {
  const flat: FlatOptions = new Map()
  for (const { key, value } of elements(text, options.impliedKey)) {
    if (key === 'id' && value !== undefined) checkIdentifier(value)
    if (value !== undefined) flat.set(key, value)
    else {
      const [name, state] = shortBoolean(key)
      const advice = `Please use ${name}=${state} instead`
      options.onDeprecated?.(`short-form boolean option '${key}' deprecated\n${advice}`)
      flat.set(name, state)
    }
  }
  return flat
}

/**
 * Reads the text of `-o`: as `parseKeyValue`, but short booleans are welcome and `id` is nobody's.
 *
 * @param text - one that `isValidOptionList` accepts; several `-o` are joined by commas before
 */
export function parseOptionList(text: string): FlatOptions {
  return new Map(optionListEntries(text))
}

/** What `parseOptionList` reads, duplicates included, because the reference checks each before the last one wins. */
export function optionListEntries(text: string): [string, string][] {
  const entries = elements(text, undefined).map(({ key, value }): [string, string] =>
    value === undefined ? shortBoolean(key) : [key, value],
  )
  // QEMU's option groups may have an `id`; creation options never use it, and the reference ignores one.
  return entries.filter(([key]) => key !== 'id')
}

/** Whether one `-o` text may be joined with others: not empty, no comma in front, no single comma at the end. */
export function isValidOptionList(text: string): boolean {
  const trailingCommas = text.length - text.replace(/,+$/, '').length
  return text !== '' && !text.startsWith(',') && trailingCommas % 2 === 0
}

/** Whether `-o` text asks for help: an element is exactly `help` or `?`, without `=`. */
export function hasHelpOption(text: string): boolean {
  return elements(text, undefined).some(({ key, value }) => value === undefined && (key === 'help' || key === '?'))
}

/** Splits at commas. Commas are doubled in values only: in a key without value each comma ends an element. */
function elements(text: string, impliedKey: string | undefined): Element[] {
  const found: Element[] = []
  let at = 0
  while (at < text.length) {
    const keyEnd = indexOrEnd(text, /[,=]/g, at)
    const isImplied = found.length === 0 && impliedKey !== undefined && text[keyEnd] !== '='
    if (text[keyEnd] === '=' || isImplied) {
      const { value, next } = valueAt(text, isImplied ? at : keyEnd + 1)
      found.push({ key: isImplied ? impliedKey : text.slice(at, keyEnd), value })
      at = next
    } else {
      found.push({ key: text.slice(at, keyEnd), value: undefined })
      at = keyEnd + 1
    }
  }
  return found
}

/** The value that starts at `start`, and where the next element starts. */
function valueAt(text: string, start: number): { value: string; next: number } {
  let value = ''
  let at = start
  for (;;) {
    const comma = indexOrEnd(text, /,/g, at)
    value += text.slice(at, comma)
    if (text[comma + 1] !== ',') return { value, next: comma + 1 }
    value += ','
    at = comma + 2
  }
}

function indexOrEnd(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? text.length
}

function shortBoolean(key: string): [string, 'on' | 'off'] {
  return key.startsWith('no') ? [key.slice(2), 'off'] : [key, 'on']
}

function checkIdentifier(value: string): void {
  if (/^[a-z][a-z0-9._-]*$/i.test(value)) return
  throw new BlockError('EINVAL', "Parameter 'id' expects an identifier", { hint: identifierHint })
}
