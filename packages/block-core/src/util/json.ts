/** JSON text exactly as the reference prints it: its key order, its escapes, its blanks. */

/** A value that has a JSON text. Integers may be `bigint`; `undefined` members of objects are left out. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>
  | { readonly [key: string]: JsonValue | undefined }

const utf8 = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Bucket of `key` in the reference's dictionaries, 0 to 511; they list their entries in ascending bucket order.
 *
 * @see QEMU 7.2 qobject/qdict.c (bucket order observed from its output)
 */
export function qdictBucket(key: string): number {
  const bytes = utf8.encode(key)
  let value = Math.imul(0x238f13af, bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    // The reference adds signed characters, so bytes above 0x7F count as negative.
    const char = (bytes[i]! << 24) >> 24
    value = (value + (char << ((5 * i) % 24))) | 0
  }
  const hash = (Math.imul(1103515243, value) + 12345) >>> 0
  return hash % 512
}

/**
 * `entries` in the order in which the reference's dictionaries list them: by bucket, and within one bucket the entry
 * that was inserted last comes first.
 *
 * @param entries - in insertion order, keys unique
 */
export function hashOrdered<V>(entries: Iterable<readonly [string, V]>): [string, V][] {
  const listed = Array.from(entries, ([key, value]) => ({ key, value, bucket: qdictBucket(key) }))
  // `sort` is stable, so the reversed insertion order survives inside a bucket.
  listed.reverse().sort((a, b) => a.bucket - b.bucket)
  return listed.map(({ key, value }) => [key, value])
}

/**
 * JSON text of `value` as the reference writes it, without a final newline.
 *
 * @param options.pretty - `true`: four blanks per level, one element per line; `false`: one line, `{"a": 1, "b": "x"}`
 * @see QEMU 7.2 qobject/qjson.c (format observed from its output)
 */
export function toQemuJson(value: JsonValue, options: { readonly pretty: boolean }): string {
  return valueText(value, options.pretty ? '\n' : '')
}

/** @param newline - empty for one-line text, else a line feed followed by the current indentation */
function valueText(value: JsonValue, newline: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return stringText(value)
  if (isList(value)) return listText('[', ']', newline, (inner) => value.map((item) => valueText(item, inner)))
  return listText('{', '}', newline, (inner) =>
    hashOrdered(members(value)).map(([key, member]) => `${stringText(key)}: ${valueText(member, inner)}`),
  )
}

/** `Array.isArray`, which by itself does not narrow read-only arrays. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function members(
  value: ReadonlyMap<string, JsonValue> | { readonly [key: string]: JsonValue | undefined },
): [string, JsonValue][] {
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return entries.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined)
}

/** Joins elements on one line, or one per line; an empty pretty list still takes two lines, as in the reference. */
function listText(open: string, close: string, newline: string, elements: (inner: string) => string[]): string {
  if (newline === '') return open + elements('').join(', ') + close
  const inner = `${newline}    `
  const texts = elements(inner)
  return open + texts.map((text) => inner + text).join(',') + newline + close
}

/** Integers in decimal, other numbers with 17 significant digits (C: `%.17g`). */
function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value)
  const [mantissa = '', exponentText = '0'] = value.toExponential(16).split('e')
  const exponent = Number(exponentText)
  const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
  if (exponent >= -4 && exponent < 17) return trimmed(value.toFixed(16 - exponent))
  const sign = exponent < 0 ? '-' : '+'
  return `${trimmed(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** Everything that is not printable ASCII leaves as an escape; a lone surrogate as U+FFFD, like other invalid text. */
function stringText(text: string): string {
  const wellFormed = decoder.decode(utf8.encode(text))
  const escaped = wellFormed.replace(/["\\]|[^\x20-\x7e]/g, (unit) => {
    return shortEscapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
  return `"${escaped}"`
}
