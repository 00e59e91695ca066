/** Proves that words are counted, options taken in order wherever they stand, and mistakes told when they are reached. */

import { expect, test } from 'vitest'
import { Arguments, splitLine } from '../src/arguments.ts'
import { CommandFailure } from '../src/failure.ts'
import type { CommandSyntax } from '../src/syntax.ts'

const command: CommandSyntax = {
  name: 'poke',
  alias: 'p',
  synopsis: '[-qv] [-P pattern] off',
  summary: 'pokes',
  options: [
    { letter: 'q', text: 'quiet' },
    { letter: 'v', text: 'verbose' },
    { letter: 'P', value: 'pattern', text: 'pattern' },
  ],
  wordsMin: 1,
}

function read(line: string): { found: string[]; operands: readonly string[]; text?: CommandFailure['text'] } {
  const found: string[] = []
  const args = new Arguments(command, 'p', splitLine(line))
  try {
    for (const { letter, value } of args.options()) found.push(letter + value)
  } catch (error) {
    if (error instanceof CommandFailure) return { found, operands: args.operands, text: error.text }
    throw error
  }
  return { found, operands: args.operands }
}

test('lines are split at blanks only', () => {
  expect(splitLine('  a  b\tc "d e" ')).toEqual(['a', 'b\tc', '"d', 'e"'])
  expect(splitLine('   ')).toEqual([])
})

test.each([
  ['0', [], ['0']],
  ['-q 0', ['q'], ['0']],
  ['0 -q 1 -P 2', ['q', 'P2'], ['0', '1']],
  ['-qvP 3 0', ['q', 'v', 'P3'], ['0']],
  ['-qP3v 0', ['q', 'P3v'], ['0']],
  ['-P -q', ['P-q'], []],
  ['-q -- -v 0', ['q'], ['-v', '0']],
  ['- -q', ['q'], ['-']],
])('%s', (line, found, operands) => expect(read(line)).toEqual({ found, operands }))

const usage = 'poke [-qv] [-P pattern] off -- pokes\n'

test.each([
  ['-q -Z 0', ['q'], "p: invalid option -- 'Z'\n"],
  ['-qZ', ['q'], "p: invalid option -- 'Z'\n"],
  ['--quiet', [], "p: invalid option -- '-'\n"],
  ['-:', [], "p: invalid option -- ':'\n"],
  ['-q -P', ['q'], "p: option requires an argument -- 'P'\n"],
])('a mistake in %s', (line, found, err) => expect(read(line)).toMatchObject({ found, text: { err, out: usage } }))

test.each([
  [1, undefined, '', 'bad argument count 0 to p, expected at least 1 arguments\n'],
  [0, 0, 'a b', 'bad argument count 2 to p, expected 0 arguments\n'],
  [1, 3, 'a b c d', 'bad argument count 4 to p, expected between 1 and 3 arguments\n'],
])('from %s to %s words', (wordsMin, wordsMax, line, err) => {
  const counted = { ...command, wordsMin, ...(wordsMax === undefined ? {} : { wordsMax }) }
  expect(() => new Arguments(counted, 'p', splitLine(line))).toThrow(new CommandFailure({ err }))
})

test('flags alone, an operand that is missing', () => {
  const args = new Arguments(command, 'p', ['-q', '5', '-v'])
  expect([...args.flags()]).toEqual(['q', 'v'])
  expect([args.operand(0), args.words]).toEqual(['5', ['-q', '5', '-v']])
  expect(() => args.operand(1)).toThrow(usage.trimEnd())
})
