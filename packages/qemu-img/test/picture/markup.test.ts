/** Proves that no text becomes markup, and that numbers are shown short and true. */

import { expect, test } from 'vitest'
import { escaped, px, shareText, sizeText } from '../../src/picture/markup.ts'

test('markup, quotes, controls and tricks with the reading direction', () => {
  expect(escaped(`<a href="x" id='y'>&amp;`)).toBe('&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;')
  expect(escaped('a\u0000b\u202ec\n')).toBe('a\\u{0}b\\u{202e}c\\u{a}')
  expect(escaped('x'.repeat(1000), 20)).toHaveLength(20)
})

test('sizes', () => {
  expect([0, 512, 1024, 1536, 200 * 2 ** 20, 2 ** 60 * 8].map(sizeText)).toEqual([
    '0 B',
    '512 B',
    '1 KiB',
    '1.50 KiB',
    '200 MiB',
    '8 EiB',
  ])
})

test('shares: little is not nothing, and nearly all is not all', () => {
  expect([shareText(0, 10), shareText(1, 1e9), shareText(1, 8), shareText(1e9 - 1, 1e9), shareText(5, 5)]).toEqual([
    '0 %',
    'under 0.1 %',
    '12.5 %',
    'over 99.9 %',
    '100 %',
  ])
  expect(shareText(1, 0)).toBe('0 %')
})

test('coordinates are short', () => expect([px(1 / 3), px(2)]).toEqual(['0.33', '2']))
