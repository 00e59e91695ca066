// Proves how much the contract covers: that each command, each of its options and each option of the program occurs among
// the lines that both programs run, as the tables have it that lines are read with. The numbers are printed.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetoptLong, optionTable, type ProgramOption } from '@blocklayer/command-line'
import { commands } from '@blocklayer/qemu-io'
import { expect, test } from 'vitest'
import { programOptions } from '../../src/program-options.ts'

/** Options of ours, and what cannot be compared: tests of ours prove them. */
const elsewhere: Readonly<Record<string, string>> = {
  c: 'every command of these tables is given by it',
  cmd: 'the same',
  driver: 'a third-party driver: none in the reference',
  completion: 'none in the reference: process.test.ts',
  man: 'none in the reference: process.test.ts',
  version: 'names the program: process.test.ts',
  V: 'names the program: process.test.ts',
}

function caseLines(): readonly string[] {
  const folder = import.meta.dirname
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name !== 'table.test.ts')
  const lines = files.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    return [...text.matchAll(/^\s*\[?\s*(['"`])(.*?)\1[,\]]/gm)].map(([, , line]) => line ?? '')
  })
  return [...new Set(lines)]
}

const lines = caseLines()

/** The options in some words, each in the spelling it has there. */
function spellingsIn(words: readonly string[], options: readonly ProgramOption[]): string[] {
  const short = options.map(({ letter, value }) => (letter === undefined ? '' : letter + (value ? ':' : '')))
  const long = options.flatMap((option) => (option.long === undefined ? [] : [option.long + (option.value ? ':' : '')]))
  const scanner = new GetoptLong(words, optionTable(short.join(''), long))
  const found: string[] = []
  for (let step = scanner.next(); step?.kind === 'option'; step = scanner.next()) found.push(step.id)
  return found
}

/** Every command in the lines, in words. */
const calls = lines
  .flatMap((line) => line.split('|').slice(1))
  .map((command) => command.trim().split(/\s+/))
  .filter(([word = '']) => word !== '')

test('every command occurs, with every option', () => {
  console.log(`contract table: ${lines.length} lines with ${calls.length} commands run by both programs`)
  const missing = commands.flatMap(({ name, alias, options = [] }) => {
    const mine = calls.filter(([word]) => word === name || word === alias)
    const used = new Set(mine.flatMap((words) => spellingsIn(words, options)))
    const words = [name, ...(alias === undefined ? [] : [alias])]
    const unnamed = words.filter((word) => !mine.some(([first]) => first === word))
    return [
      ...unnamed,
      ...options.filter(({ letter = '' }) => !used.has(letter)).map(({ letter }) => `${name} -${letter}`),
    ]
  })
  expect(missing).toEqual([])
})

test('every option of the program occurs', () => {
  const used = new Set(
    lines.flatMap((line) =>
      spellingsIn(['qemu-io', ...(line.split('|')[0] ?? '').split(' ').filter(Boolean)], programOptions),
    ),
  )
  const wanted = programOptions.flatMap(({ letter, long }) => [letter, long].filter((word) => word !== undefined))
  expect(wanted.filter((word) => !used.has(word) && !(word in elsewhere))).toEqual([])
})
