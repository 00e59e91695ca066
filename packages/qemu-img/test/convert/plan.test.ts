// Proves how a buffer is cut into data and zeroes: whole blocks only, counted from the disk's start, and short zero runs
// between data stay data. Property: segments cover the buffer, and every byte called zero is zero.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planSegments, wholeClusters, zeroAlignment } from '../../src/convert/plan.ts'

/** One letter per 512 bytes: `.` zero, `x` data. */
function buffer(picture: string): Uint8Array {
  const bytes = new Uint8Array(512 * picture.length)
  for (let i = 0; i < picture.length; i++) if (picture[i] === 'x') bytes[512 * i + 511] = 1
  return bytes
}

function planned(picture: string, sparse: number, alignment: number, offset = 0): string {
  const rules = { sparseBytes: 512 * sparse, alignment: 512 * alignment }
  return planSegments(buffer(picture), 512 * offset, rules)
    .map(({ start, end, zero }) => (zero ? '.' : 'x').repeat((end - start) / 512))
    .join('|')
}

describe('segments', () => {
  test.each([
    ['........', 8, 8, 0, '........'],
    ['xxxxxxxx', 8, 8, 0, 'xxxxxxxx'],
    ['x.......', 8, 8, 0, 'xxxxxxxx'],
    ['........x.......', 8, 8, 0, '........|xxxxxxxx'],
    ['x..............x', 8, 8, 0, 'xxxxxxxxxxxxxxxx'],
    ['x...............x.......', 8, 8, 0, 'xxxxxxxx|........|xxxxxxxx'],
    // The blocks are those of the disk, not those of the buffer.
    ['....x...........', 8, 8, 4, '....|xxxxxxxx|....'],
    // Runs between data have to be long enough; at either end any whole block will do.
    ['x.x..x...x', 3, 1, 0, 'xxxxxx|...|x'],
    ['.x..x.', 3, 1, 0, '.|xxxx|.'],
    ['x.', 8, 1, 0, 'x|.'],
  ])('%s, at least %d, aligned to %d, at %d', (picture, sparse, alignment, offset, expected) => {
    expect(planned(picture, sparse, alignment, offset)).toBe(expected)
  })

  test('cover the buffer, and lose no data', () => {
    const picture = fc.string({ unit: fc.constantFrom('.', 'x'), minLength: 1, maxLength: 80 })
    const power = fc.constantFrom(1, 2, 4, 8, 16)
    fc.assert(
      fc.property(
        picture,
        fc.integer({ min: 1, max: 20 }),
        power,
        fc.integer({ min: 0, max: 40 }),
        (text, sparse, alignment, offset) => {
          const plan = planned(text, sparse, alignment, offset).replaceAll('|', '')
          expect(plan).toHaveLength(text.length)
          for (let i = 0; i < text.length; i++) if (text[i] === 'x') expect(plan[i]).toBe('x')
        },
      ),
    )
  })
})

test('the alignment follows the wanted length down to a power of two, and the target up', () => {
  expect(zeroAlignment(4096, 512)).toBe(4096)
  expect(zeroAlignment(1536, 512)).toBe(1024)
  expect(zeroAlignment(512, 4096)).toBe(4096)
  expect(zeroAlignment(0, 1)).toBe(512)
})

test.each([
  ['whole clusters of a run', { bytes: 200, kind: 'zero' }, 1000, { bytes: 192, kind: 'zero' }],
  ['a run that ends inside its first cluster', { bytes: 63, kind: 'zero' }, 1000, { bytes: 64, kind: 'data' }],
  ['such a run in the last cluster', { bytes: 10, kind: 'backing' }, 30, { bytes: 30, kind: 'data' }],
  ['a run to the end', { bytes: 100, kind: 'zero' }, 100, { bytes: 100, kind: 'zero' }],
])('compressing takes %s', (_, run, rest, piece) => {
  expect(wholeClusters(run, rest, 64)).toEqual(piece)
})
