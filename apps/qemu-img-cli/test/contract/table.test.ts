// Proves how much the contract covers: how many command lines are run by both tools, and that each option of each command
// occurs among them in every spelling, as the tables have it that command lines are read with. The numbers are printed, so
// that nobody has to believe them.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetoptLong, optionTable } from '@blocklayer/command-line'
import { expect, test } from 'vitest'
import { commandOptions } from '../../src/args/command-options.ts'
import type { CommandOption, CommandTable } from '../../src/tables/command-table.ts'
import { commandTables } from '../../src/tables/index.ts'
import { words } from './run-table.ts'

/** Options that the reference has not: nothing to compare with. Tests of ours prove them. */
const oursAlone: Readonly<Record<string, string>> = {
  driver: 'driver-option.test.ts',
  errors: 'errors.test.ts',
  progress: 'progress.test.ts',
  untrusted: 'end-to-end/untrusted.test.ts',
  'max-virtual-size': 'end-to-end/untrusted.test.ts',
  'max-memory': 'end-to-end/untrusted.test.ts',
  'max-expansion': 'end-to-end/untrusted.test.ts',
  'max-snapshots': 'end-to-end/untrusted.test.ts',
  timeout: 'end-to-end/untrusted.test.ts',
  limits: 'end-to-end/limits.test.ts',
  reproducible: 'reproducible.test.ts',
}

/** A command line in a table: a string of its own that begins with a command. */
const caseLine = new RegExp(
  `^\\s*(?:runTable\\('[^']*', )?\\[?\\s*(['"\`])((?:${commandTables.map(({ name }) => name).join('|')})\\b.*?)\\1[,\\]]`,
  'gm',
)

function commandLines(): readonly string[] {
  const folder = import.meta.dirname
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name !== 'table.test.ts')
  const lines = files.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    return [...text.matchAll(caseLine)].map(([, , line]) => line ?? '')
  })
  return [...new Set(lines)]
}

const lines = commandLines()
const linesOf = ({ name }: CommandTable): string[] => lines.filter((line) => line.split(' ')[0] === name)

/** The options in a line, each in the spelling it has there; an abbreviation counts as the name. */
function spellingsIn(line: string, options: readonly CommandOption[]): string[] {
  const short = options.map(({ letter, value }) => (letter === undefined ? '' : letter + (value ? ':' : '')))
  const long = options.flatMap((option) => (option.long === undefined ? [] : [option.long + (option.value ? ':' : '')]))
  const scanner = new GetoptLong(words(line), optionTable(short.join(''), long))
  const found: string[] = []
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    if (step.kind === 'option') found.push(step.id)
    // What stands behind it was never looked at, by neither tool.
    else break
  }
  return found
}

test('there are at least 600 command lines', () => {
  const counts = commandTables.map((table) => `${table.name} ${linesOf(table).length}`)
  console.log(`contract table: ${lines.length} command lines run by both tools (${counts.join(', ')})`)
  expect(lines.length).toBeGreaterThanOrEqual(600)
})

test.each(commandTables.map((table) => [table.name, table] as const))('every option of %s occurs', (name, table) => {
  const options = commandOptions(table, '7.2')
  const used = new Set(linesOf(table).flatMap((line) => spellingsIn(line, options)))
  const wanted = options.flatMap(({ letter, long }) => [letter, long].filter((word) => word !== undefined))
  // Of `--output` only the reference's own is compared: that of the other commands is ours.
  const isOurs = (word: string): boolean => word in oursAlone || (word === 'output' && table.output === 'ours')
  const missing = wanted.filter((word) => !isOurs(word) && !used.has(word))
  expect(missing.map((word) => `${name} ${word.length === 1 ? `-${word}` : `--${word}`}`)).toEqual([])
})

test('what is ours alone has a test of its own', () => {
  for (const [option, file] of Object.entries(oursAlone)) {
    expect(readFileSync(join(import.meta.dirname, '..', file), 'utf8')).toContain(`--${option}`)
  }
})
