// Every folder of tests is found with its golden output; words select by number or name and unknown ones are refused.
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { discoverTests, SelectionError, selectTests } from '../../src/runner/discover.ts'

const tests = await discoverTests()

test('all tests are there, in order, with golden output', () => {
  expect(tests.map(({ name }) => name)).toEqual(['097-backing-chain-commits', '098-make-empty-under-faults'])
  expect(tests.map(({ expectedPath }) => existsSync(expectedPath))).toEqual([true, true])
})

test.each([['97'], ['097'], ['097-backing-chain-commits']])('%s names 097', (word) => {
  expect(selectTests(tests, [word]).map(({ number }) => number)).toEqual(['097'])
})

test('no words mean all, and the order is that of the numbers', () => {
  expect(selectTests(tests, [])).toHaveLength(2)
  expect(selectTests(tests, ['098', '097']).map(({ number }) => number)).toEqual(['097', '098'])
})

test('a word that names no test is refused', () => {
  expect(() => selectTests(tests, ['999'])).toThrow(new SelectionError("No test '999'"))
})
