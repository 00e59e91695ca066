/** Proves that help lists every command, and each in full. */

import { expect, test } from 'vitest'
import { usageLine } from '../../src/syntax.ts'
import { commands } from '../../src/commands/table.ts'
import { emptyBench } from '../helpers/session.ts'

test('all commands', async () => {
  const { run } = emptyBench()
  const text = await run('help')
  expect(text).toBe(
    `${commands.map((command) => usageLine(command)).join('')}\nUse 'help commandname' for extended help.\n`,
  )
})

test.each(commands)('$name', async (command) => {
  const { run } = emptyBench()
  const text = await run(`help ${command.alias ?? command.name}`)
  expect(text.startsWith(usageLine(command, command.alias ?? command.name))).toBe(true)
  for (const { letter } of command.options ?? []) expect(text).toContain(`\n -${letter}`)
})

test('no such command', async () => {
  expect(await emptyBench().run('help foo')).toBe('command foo not found\nfailed')
})
