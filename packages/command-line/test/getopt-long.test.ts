// Proves that options are found as GNU getopt_long finds them, operands and all, and that errors quote the same word.
// The expected words were taken from the reference tool.

import { describe, expect, test } from 'vitest'
import { GetoptLong, optionTable } from '../src/getopt-long.ts'

const create = optionTable('F:b:f:ho:qu', ['help=h', 'object:'])
const convert = optionTable('hf:O:B:CcF:o:l:S:pt:T:qnm:WUr:', [
  'help=h',
  'image-opts',
  'target-image-opts',
  'target-is-zero',
  'bitmaps',
  'skip-broken-bitmaps',
  'force-share=U',
  'driver:!',
])

function scan(table: typeof create, words: string, rules = {}): { found: string[]; operands: readonly string[] } {
  const scanner = new GetoptLong(words === '' ? ['cmd'] : ['cmd', ...words.split(' ')], table, rules)
  const found: string[] = []
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    if (step.kind === 'option') found.push(step.argument === undefined ? step.id : `${step.id}=${step.argument}`)
    else return { found: [...found, `${step.kind} ${step.word}`], operands: [] }
  }
  return { found, operands: scanner.operands }
}

function complaintOf(table: typeof create, words: string): string {
  const step = new GetoptLong(['cmd', ...words.split(' ')], table).next()
  const next = step?.kind === 'option' ? undefined : step
  return next?.complaint ?? 'none'
}

describe('options that are right', () => {
  test.each([
    ['', [], []],
    ['a 1M', [], ['a', '1M']],
    ['x -f qcow2 1M -o cluster_size=4k', ['f=qcow2', 'o=cluster_size=4k'], ['x', '1M']],
    ['-qu a', ['q', 'u'], ['a']],
    ['-qfqcow2 a', ['q', 'f=qcow2'], ['a']],
    ['-b../x a', ['b=../x'], ['a']],
    ['a -- -q b', [], ['a', '-q', 'b']],
    ['-q -- a -u', ['q'], ['a', '-u']],
    ['- a', [], ['-', 'a']],
    ['--object=a=b --object c x', ['object=a=b', 'object=c'], ['x']],
    ['a b -q c -u d', ['q', 'u'], ['a', 'b', 'c', 'd']],
  ])('%s', (words, found, operands) => {
    expect(scan(create, words)).toEqual({ found, operands })
  })

  test('abbreviations that are unambiguous', () => {
    expect(scan(convert, '--target-is --im --sk --fo --b x').found).toEqual([
      'target-is-zero',
      'image-opts',
      'skip-broken-bitmaps',
      'U',
      'bitmaps',
    ])
  })

  test('our own option is only taken when written out', () => {
    expect(scan(convert, '--driver d').found).toEqual(['driver=d'])
    expect(scan(convert, '--dri d').found).toEqual(['unrecognized --dri'])
  })

  test('the scan stops at the first operand where it is told to', () => {
    expect(scan(create, '-q a -u', { stopAtOperand: true })).toEqual({ found: ['q'], operands: ['a', '-u'] })
  })
})

describe('errors quote the word before the scanner', () => {
  test.each([
    ['-qZ', ['q', 'unrecognized -qZ']],
    ['-f qcow2 -Zq a', ['f=qcow2', 'unrecognized qcow2']],
    ['-Zq a', ['unrecognized cmd']],
    ['x -f qcow2 -Zq a', ['f=qcow2', 'unrecognized x']],
    ['x -f qcow2 y -Zq a', ['f=qcow2', 'unrecognized y']],
    ['-qf', ['q', 'missing-argument -qf']],
    ['--obj', ['missing-argument --obj']],
    ['--bogus', ['unrecognized --bogus']],
    ['--help=3', ['unrecognized --help=3']],
  ])('%s', (words, found) => {
    expect(scan(create, words).found).toEqual(found)
  })

  test('an ambiguous abbreviation is unknown', () => {
    expect(scan(convert, '--target x').found).toEqual(['unrecognized --target'])
  })
})

test.each([
  ['-Zq', "invalid option -- 'Z'"],
  ['-f', "option requires an argument -- 'f'"],
  ['--bogus=3', "unrecognized option '--bogus=3'"],
  ['--obj', "option '--object' requires an argument"],
  ['--he=3', "option '--help' doesn't allow an argument"],
])("the C library's own words: %s", (words, complaint) => {
  expect(complaintOf(create, words)).toBe(complaint)
})

test('an ambiguous abbreviation names all that it may mean', () => {
  expect(complaintOf(convert, '--target=x')).toBe(
    "option '--target=x' is ambiguous; possibilities: '--target-image-opts' '--target-is-zero'",
  )
})
