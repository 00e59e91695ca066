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

test('the help has every limit', () => {
  expect(throttleProperties).toHaveLength(20)
  expect(throttleProperties.slice(0, 4)).toEqual([
    'limits=<ThrottleLimits>',
    'x-bps-read-max-length=<int>',
    'x-bps-read-max=<int>',
    'x-bps-read=<int>',
  ])
})
