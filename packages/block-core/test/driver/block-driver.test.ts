// Drivers and node descriptions are plain values.
import { expect, test } from 'vitest'
import { defineDriver, nodeSpec } from '../../src/driver/block-driver.ts'
import { MemoryStore, memoryDriver } from '../../src/testing/memory-driver.ts'

test('defineDriver gives the same value back', () => {
  expect(defineDriver(memoryDriver)).toBe(memoryDriver)
})

test('nodeSpec joins driver, options and what every node has', () => {
  const store = new MemoryStore()
  const spec = nodeSpec(memoryDriver, { store }, { nodeName: 'disk', readOnly: true })
  expect(spec).toEqual({ driver: memoryDriver, options: { store }, nodeName: 'disk', readOnly: true })
})
