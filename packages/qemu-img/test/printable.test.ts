/** Proves that no text of a stranger can do anything but be read. */

import { expect, test } from 'vitest'
import { printable } from '../src/printable.ts'

test('plain text of any language stays', () => {
  for (const text of ['disk.qcow2', 'Datenträger – 磁盘', 'a "b" <c> & d', '']) expect(printable(text)).toBe(text)
})

test.each([
  ['\u001b[31mred', '\\u{1b}[31mred'],
  ['two\nlines\r', 'two\\u{a}lines\\u{d}'],
  ['evil\u202egpj.exe', 'evil\\u{202e}gpj.exe'],
  ['zero\u200bwidth', 'zero\\u{200b}width'],
  ['line\u2028separator', 'line\\u{2028}separator'],
  ['lone\ud800surrogate', 'lone\\u{d800}surrogate'],
])('%j is shown as %j', (text, shown) => expect(printable(text)).toBe(shown))

test('long text is cut, also where escapes make it long', () => {
  expect(printable('x'.repeat(1e6), 10)).toBe('xxxxxxxxx…')
  expect(printable('\u0000'.repeat(10), 20)).toHaveLength(20)
})
