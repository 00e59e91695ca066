/** Proves that the table is in order, that names and aliases are unique, and that options are what the usage says. */

import { expect, test } from 'vitest'
import { commands, findCommand } from '../../src/commands/table.ts'

test('names are in order, and words mean one command', () => {
  const names = commands.map(({ name }) => name)
  expect(names).toEqual([...names].sort())
  const words = commands.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))
  expect(new Set(words).size).toBe(words.length)
  for (const command of commands) expect(findCommand(command.name)).toBe(command)
  expect([findCommand('r')?.name, findCommand('rea'), findCommand('')]).toEqual(['read', undefined, undefined])
})

test.each(commands)('every letter in the usage of $name is an option', ({ name, synopsis = '', options = [] }) => {
  const letters = [...synopsis.matchAll(/-([A-Za-z]+)/g)].flatMap(([, cluster = '']) => [...cluster])
  // Listed in the reference's usage, but not taken.
  const known = [...options.map(({ letter }) => letter), ...(name === 'read' ? ['a'] : [])]
  expect(known).toEqual(expect.arrayContaining(letters))
  expect(new Set(known).size).toBe(known.length)
})
