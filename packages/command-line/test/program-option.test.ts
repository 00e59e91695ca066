/** Proves that one table gives the scanner's options and the lines of help. */

import { expect, test } from 'vitest'
import { GetoptLong } from '../src/getopt-long.ts'
import { optionHead, optionHelp, type ProgramOption, tableOf } from '../src/program-option.ts'

const options: readonly ProgramOption[] = [
  { long: 'object', value: 'DEF', text: 'an object' },
  { long: 'format', letter: 'f', value: 'FMT', text: 'the format' },
  { long: 'read-only', letter: 'r', text: 'only read' },
  { long: 'fortune', exactOnly: true, value: 'X', text: 'ours' },
  { letter: 'q', text: 'quiet' },
  { long: 'progress', letter: 'p', attached: 'FORM', text: 'show progress' },
]

test('a scanner finds each by its letter or its name', () => {
  const scanner = new GetoptLong(
    ['x', '-qrfraw', '--fo', 'raw', '--fortune=y', '--obj', 'a', '--prog', '-p', '--progress=bar', 'disk'],
    tableOf(options),
  )
  const found: string[] = []
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    found.push(step.kind === 'option' ? `${step.id}=${step.argument ?? ''}` : step.complaint)
  }
  expect(found).toEqual(['q=', 'r=', 'f=raw', 'f=raw', 'fortune=y', 'object=a', 'p=', 'p=', 'p=bar'])
  expect(scanner.operands).toEqual(['disk'])
})

test('help', () => {
  expect(options.map(optionHead)).toEqual([
    '--object DEF',
    '-f, --format FMT',
    '-r, --read-only',
    '--fortune X',
    '-q',
    '-p, --progress[=FORM]',
  ])
  expect(optionHelp(options, 18)).toBe(
    '  --object DEF    an object\n' +
      '  -f, --format FMT\n                  the format\n' +
      '  -r, --read-only only read\n' +
      '  --fortune X     ours\n' +
      '  -q              quiet\n' +
      '  -p, --progress[=FORM]\n                  show progress\n',
  )
})
