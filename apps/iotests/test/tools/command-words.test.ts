// Words become options and operands as getopt would have it, and every wrong one is refused with the reference's lines.
import { expect, test } from 'vitest'
import {
  CommandError,
  parseLength,
  parseNumber,
  parsePattern,
  parseWords,
  type Syntax,
  splitCommand,
} from '../../src/tools/command-words.ts'

const syntax: Syntax = { name: 'read', options: 'P:q', usage: 'read off len -- reads', wordsMin: 2 }

test('blanks split, quotes do not count', () => {
  expect(splitCommand("  read  'a  b' ")).toEqual(['read', "'a", "b'"])
})

test.each([
  ['-P 1 0 64k', { P: '1' }, ['0', '64k']],
  ['0 64k -qP 1', { q: '', P: '1' }, ['0', '64k']],
  ['-P1 0 -q 64k', { P: '1', q: '' }, ['0', '64k']],
  ['-q -- -1 -P', { q: '' }, ['-1', '-P']],
])('%s', (line, options, operands) => {
  const words = parseWords(syntax, splitCommand(line))
  expect(Object.fromEntries(words.options)).toEqual(options)
  expect(words.operands).toEqual(operands)
})

/** What `work` makes the command print. */
function printed(work: () => unknown): { stdout: string; stderr: string } {
  try {
    work()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { stdout: error.stdout, stderr: error.stderr }
  }
  return { stdout: '', stderr: '' }
}

test.each([
  ['0', '', 'bad argument count 1 to read, expected at least 2 arguments\n'],
  ['-Z 0 1', 'read off len -- reads\n', "read: invalid option -- 'Z'\n"],
  ['0 1 -P', 'read off len -- reads\n', "read: option requires an argument -- 'P'\n"],
])('refused: %s', (line, stdout, stderr) => {
  expect(printed(() => parseWords(syntax, splitCommand(line)))).toEqual({ stdout, stderr })
})

test('a fixed number of words', () => {
  const close = { ...syntax, name: 'close', wordsMin: 0, wordsMax: 0 }
  expect(printed(() => parseWords(close, ['1']))).toEqual({
    stdout: '',
    stderr: 'bad argument count 1 to close, expected 0 arguments\n',
  })
})

test('numbers', () => {
  expect([parseNumber('64k'), parseNumber('0x7ffd0000'), parseLength('2147483136')]).toEqual([
    65536, 0x7ffd0000, 2147483136,
  ])
  const malformed = 'Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- 1x\n'
  expect(printed(() => parseNumber('1x')).stdout).toBe(malformed)
  expect(printed(() => parseNumber('20E')).stdout).toBe('Parsing error: argument too large -- 20E\n')
  expect(printed(() => parseNumber('8E')).stdout).toBe('Parsing error: argument too large -- 8E\n')
  expect(printed(() => parseLength('3G')).stdout).toBe('length cannot exceed 2147483136, given 3G\n')
})

test('patterns', () => {
  expect([parsePattern('1'), parsePattern('0xcd'), parsePattern('010'), parsePattern('255')]).toEqual([1, 0xcd, 8, 255])
  for (const word of ['256', '', '-1', 'x']) {
    expect(printed(() => parsePattern(word)).stdout).toBe(`${word} is not a valid pattern byte\n`)
  }
})
