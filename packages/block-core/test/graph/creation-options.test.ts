// The options of a new image as `qemu-img create` prints them: in declaration order, sizes in bytes.
import { expect, test } from 'vitest'
import { creationOptions } from '../../src/graph/creation-options.ts'
import type { OptionScalar, OptionSpec } from '../../src/options/schema.ts'

const rows: OptionSpec[] = [
  { name: 'cluster_size', type: 'size', help: 'x', default: '65536' },
  { name: 'size', type: 'size', help: 'x' },
  { name: 'backing_file', type: 'string', help: 'x' },
  { name: 'lazy', type: 'bool', help: 'x', default: 'off' },
  { name: 'bits', type: 'number', help: 'x' },
]

const printed = (options: Record<string, OptionScalar>) =>
  creationOptions(rows, new Map(Object.entries(options))).map(({ name, value }) => `${name}=${value}`)

test('declaration order, defaults included, unset ones left out', () => {
  expect(printed({})).toEqual(['cluster_size=65536', 'lazy=off'])
  expect(printed({ backing_file: 'a b', lazy: 'on', size: 1024n })).toEqual([
    'cluster_size=65536',
    'size=1024',
    'backing_file=a b',
    'lazy=on',
  ])
})

test('sizes in bytes, signed as the reference prints them; the rest as it was written', () => {
  expect(printed({ cluster_size: '2M', size: 512, lazy: true, backing_file: null })).toEqual([
    'cluster_size=2097152',
    'size=512',
    'lazy=true',
  ])
  expect(printed({ size: 2n ** 63n }).at(1)).toBe('size=-9223372036854775808')
})

test('numbers in decimal', () => {
  expect([printed({ bits: '0x10' }), printed({ bits: '010' }), printed({ bits: 64 })].map((all) => all.at(-1))).toEqual(
    ['bits=16', 'bits=8', 'bits=64'],
  )
  expect(printed({ bits: '-1' }).at(-1)).toBe('bits=-1')
})

test('a size that is none', () => {
  expect(() => printed({ size: 'much' })).toThrow("Parameter 'size' expects a non-negative number below 2^64")
})
