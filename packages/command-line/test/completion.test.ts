/** Proves that completion names every option and value; bash itself is asked where it is there. */

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { completionScript, shells } from '../src/completion.ts'
import type { ProgramOption } from '../src/program-option.ts'

const options: readonly ProgramOption[] = [
  { long: 'format', letter: 'f', value: 'FMT', completes: 'format', text: 'image format' },
  { long: 'cache', value: 'MODE', choices: ['none', 'writeback'], text: "the host's [page] cache: how" },
  { long: 'object', value: 'DEF', text: 'an object' },
  { long: 'read-only', letter: 'r', text: 'only read' },
]
const program = { name: 'my-io', options, formats: ['raw', 'qcow2'] }

test.each(shells)('%s', (shell) => expect(completionScript(shell, program)).toMatchSnapshot())

test.each([
  ['my-io --f', ['--format']],
  ['my-io -f ', ['qcow2', 'raw']],
  ['my-io --cache w', ['writeback']],
  ['my-io -r --', ['--cache', '--format', '--object', '--read-only']],
])('bash completes: %s', (line, expected) => {
  const words = line.split(' ')
  const ask = [
    completionScript('bash', program),
    // As bash calls it: the program, the word, and the word before.
    `_my_io my-io '${words.at(-1)}' '${words.at(-2)}'`,
    `printf "%s\\n" "$\{COMPREPLY[@]}"`,
  ].join('\n')
  const { stdout, stderr } = spawnSync('bash', ['-c', ask], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout.split('\n').filter(Boolean).sort()).toEqual(expected)
})
