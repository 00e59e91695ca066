// Proves that the checker is neither too strict nor too lenient: it agrees with trying all orders one after the other.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CellEvent, checkCell, overlapMax } from './linearize.ts'

const event = (kind: CellEvent['kind'], value: number, called: number, returned: number): CellEvent => ({
  kind,
  value,
  called,
  returned,
})
const from = (value: number): ReadonlySet<number> => new Set([value])

/** Values after each order of the events that respects who returned before whom was called, and explains all reads. */
function allOrders(value: number, left: readonly CellEvent[]): Set<number> {
  const found = new Set<number>()
  if (left.length === 0) return found.add(value)
  for (const next of left) {
    if (left.some(({ returned }) => returned < next.called)) continue
    if (next.kind === 'read' && next.value !== value) continue
    const rest = left.filter((other) => other !== next)
    const results = next.kind === 'read' ? [value] : next.kind === 'discard' ? [0, value] : [next.value]
    for (const result of results) for (const end of allOrders(result, rest)) found.add(end)
  }
  return found
}

/** Up to five requests whose calls and returns come in any order. */
const history: fc.Arbitrary<CellEvent[]> = fc
  .array(fc.tuple(fc.constantFrom('read', 'change', 'discard'), fc.nat({ max: 3 })), { maxLength: 5 })
  .chain((requests) => {
    const times = requests.flatMap((_, i) => [i, i])
    return fc
      .shuffledSubarray(times, { minLength: times.length })
      .map((order) =>
        requests
          .map(([kind, value], i) =>
            event(kind, kind === 'discard' ? 0 : value, order.indexOf(i), order.lastIndexOf(i)),
          )
          .sort((a, b) => a.called - b.called),
      )
  })

test('agrees with trying all orders', () => {
  let explained = 0
  fc.assert(
    fc.property(history, (events) => {
      const expected = allOrders(0, events)
      const { values, unexplained } = checkCell(from(0), events)
      expect([...values].sort()).toEqual([...expected].sort())
      expect(unexplained === undefined).toBe(expected.size > 0)
      if (expected.size > 0) explained++
    }),
    { numRuns: 2000, seed: Number(process.env.BLOCKLAYER_SEED ?? 1) },
  )
  // Both answers must have come often, or the property says little.
  expect(explained).toBeGreaterThan(300)
  expect(explained).toBeLessThan(1700)
})

describe('what it finds', () => {
  test('a write that is lost', () => {
    const write = event('change', 1, 0, 1)
    const read = event('read', 0, 2, 3)
    expect(checkCell(from(0), [write, read]).unexplained).toBe(read)
  })

  test('content that was overwritten and comes back', () => {
    const events = [event('change', 1, 0, 1), event('change', 2, 2, 3), event('read', 2, 4, 5), event('read', 1, 6, 7)]
    expect(checkCell(from(0), events).unexplained).toBe(events[3])
  })

  test('two reads that see two overlapping writes in a circle', () => {
    const writes = [event('change', 1, 0, 20), event('change', 2, 1, 21)]
    const reads = [event('read', 1, 2, 3), event('read', 2, 4, 5), event('read', 1, 6, 7)]
    expect(checkCell(from(0), [...writes, ...reads]).unexplained).toBe(reads[2])
    expect(checkCell(from(0), [...writes, ...reads.slice(0, 2)]).values).toEqual(from(2))
  })

  test('a read that sees a write which comes later', () => {
    const read = event('read', 1, 0, 1)
    expect(checkCell(from(0), [read, event('change', 1, 2, 3)]).unexplained).toBe(read)
  })
})

test('a discard leaves what is there, or zeroes', () => {
  expect(checkCell(from(7), [event('discard', 0, 0, 1)]).values).toEqual(new Set([0, 7]))
})

test('more overlapping requests than it can sort out are refused', () => {
  const many = Array.from({ length: overlapMax + 1 }, (_, i) => event('change', i, i, 100 + i))
  expect(() => checkCell(from(0), many)).toThrow(RangeError)
})
