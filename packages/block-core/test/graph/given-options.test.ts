// Which options are a node's own, and which values cannot be written as text and so outlast a reopening.
import { expect, test } from 'vitest'
import { type AnyDriver, nodeSpec } from '../../src/driver.ts'
import { childOptionNames, ownOptions, ownOptionsOfSpec, rowOf, wordless } from '../../src/graph/given-options.ts'
import { reopenable, reopenScript } from '../helpers/reopenable.ts'

const driver: AnyDriver = reopenable(reopenScript())

test('rows by name, and lists by their items', () => {
  expect(rowOf(driver, 'speed')?.name).toBe('speed')
  expect(rowOf(driver, 'rules.0.event')?.name).toBe('rules')
  expect([rowOf(driver, 'speed.0'), rowOf(driver, 'backing')]).toEqual([undefined, undefined])
  expect(childOptionNames(driver)).toEqual(['file'])
})

test('own options of a text and of a description in code', () => {
  const flat = new Map(Object.entries({ speed: '1k', 'rules.0.a': 'x', file: 'n', 'file.driver': 'raw', other: 1 }))
  expect([...ownOptions(driver, flat).keys()]).toEqual(['speed', 'rules.0.a'])
  const rules = [new Map()]
  const options = { speed: 5, rules, file: 'n', fixed: undefined }
  expect([...ownOptionsOfSpec(nodeSpec(driver, options))]).toEqual([['speed', 5]])
  expect(wordless(driver, options)).toEqual({ rules })
})
