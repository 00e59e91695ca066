// Proves that the limits of a throttle group are taken by their names, and nothing else is.
import { expect, test } from 'vitest'
import { takeLimits, throttleProperties } from '../src/throttle-definition.ts'

const refuse = (message: string): never => {
  throw new Error(message)
}

test('limits are taken, the rest stays', () => {
  const definition = new Map([
    ['limits.bps-total', '5'],
    ['x-iops-size', '0x10'],
    ['limits.foo', '1'],
  ])
  expect(takeLimits(definition, refuse)).toEqual({ bpsTotal: 5, iopsSize: 16 })
  expect([...definition.keys()]).toEqual(['limits.foo'])
})

test('what is no integer is refused', () => {
  expect(() => takeLimits(new Map([['limits.bps-total', 'a']]), refuse)).toThrow(
    "Parameter 'limits.bps-total' expects integer",
  )
})

// As the reference: single properties are judged when they are set, those of `limits` later and together.
test.each([
  ['x-bps-total', '9223372036854775808', "Parameter 'x-bps-total' expects integer"],
  ['limits.bps-total', '-9223372036854775809', "Parameter 'limits.bps-total' expects integer"],
  ['x-iops-size', '-1', 'Property values cannot be negative'],
  ['x-bps-read', '-0x1', 'Property values cannot be negative'],
  ['x-bps-read-max-length', '4294967296', 'x-bps-read-max-length value must be in therange [0, 4294967295]'],
])('%s of %s', (name, text, message) => {
  expect(() => takeLimits(new Map([[name, text]]), refuse)).toThrow(message)
})

test('values that are in range', () => {
  const given: [string, string][] = [
    ['x-bps-read-max-length', '4294967295'],
    ['limits.bps-total', '-5'],
    ['x-bps-read', '-0'],
  ]
  expect(takeLimits(new Map(given), refuse)).toEqual({ bpsReadMaxLength: 4294967295, bpsTotal: -5, bpsRead: 0 })
})

test('the help has every limit', () => {
  expect(throttleProperties).toHaveLength(20)
  expect(throttleProperties.slice(0, 4)).toEqual([
    'limits=<ThrottleLimits>',
    'x-bps-read-max-length=<int>',
    'x-bps-read-max=<int>',
    'x-bps-read=<int>',
  ])
})
