/** Text of strangers, made fit to be shown: nothing in it can move a cursor, end a line or turn the reading direction. */

/** Controls of terminals and lines, and those that reorder or hide what stands beside them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu

/**
 * `text` with every control character as `\u{…}`, cut to `lengthMax`.
 *
 * @param lengthMax - characters of the result at most, an ellipsis included
 */
export function printable(text: string, lengthMax = 200): string {
  // Cut first: what is cut off need not be looked at, however long it is.
  const start = text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text
  const shown = start.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
  return shown.length > lengthMax ? `${shown.slice(0, lengthMax - 1)}…` : shown
}
