// Names that users may give, in the reference's words, and those that nodes get by themselves.
import { expect, test } from 'vitest'
import { checkNodeName, NodeNames } from '../../src/graph/node-name.ts'

test.each([
  ['', "Invalid node-name: ''"],
  ['1foo', "Invalid node-name: '1foo'"],
  ['#block1', "Invalid node-name: '#block1'"],
  ['a b', "Invalid node-name: 'a b'"],
  ['ä', "Invalid node-name: 'ä'"],
  ['taken', "Duplicate nodes with node-name='taken'"],
  ['n'.repeat(32), 'Node name too long'],
])('%s is refused', (name, message) => {
  expect(() => checkNodeName(name, (other) => other === 'taken')).toThrow(message)
})

test.each(['a', 'A-b.c_9', 'n'.repeat(31)])('%s is accepted', (name) => {
  expect(() => checkNodeName(name, () => false)).not.toThrow()
})

test('generated names are unlike each other and unlike users’', () => {
  const names = new NodeNames()
  const made = Array.from({ length: 200 }, () => names.next())
  expect(new Set(made).size).toBe(200)
  expect(made.every((name) => /^#block\d+\d\d$/.test(name))).toBe(true)
})
