/** Proves that completion knows which command the user is in; bash itself is asked, the other shells' text is kept. */

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { commandCompletionScript } from '../src/command-completion.ts'
import { shells } from '../src/completion.ts'

const program = {
  name: 'my-img',
  formats: ['raw', 'qcow2'],
  options: [
    { long: 'help', letter: 'h', text: 'help' },
    { long: 'driver', value: 'MODULE', text: 'a driver' },
    { long: 'errors', value: 'FORM', choices: ['text', 'json'], text: 'errors' },
  ],
  commands: [
    {
      name: 'info',
      text: "what an image: 'says'",
      options: [
        { long: 'format', letter: 'f', value: 'FMT', completes: 'format' as const, text: 'the format' },
        { long: 'output', value: 'OFMT', choices: ['human', 'json'], text: 'form' },
        { letter: 'U', text: 'share' },
      ],
    },
    { name: 'dd', text: 'copies', options: [{ letter: 'q', text: 'quiet' }], words: ['if=', 'of='] },
  ],
}

test.each(shells)('%s', (shell) => expect(commandCompletionScript(shell, program)).toMatchSnapshot())

test.each([
  ['my-img ', ['dd', 'info']],
  ['my-img i', ['info']],
  ['my-img --', ['--driver', '--errors', '--help']],
  ['my-img --errors j', ['json']],
  ['my-img --errors = t', ['text']],
  ['my-img --driver info -', ['--driver', '--errors', '--help', '-h']],
  ['my-img --driver ./x.js info -f ', ['qcow2', 'raw']],
  ['my-img info -f = q', ['qcow2']],
  ['my-img info --output =', ['human', 'json']],
  ['my-img info --o', ['--output']],
  ['my-img info -U -', ['--format', '--output', '-U', '-f']],
  ['my-img dd i', ['if=']],
  ['my-img dd -', ['-q']],
])('bash completes: %s', (line, expected) => {
  const words = line.split(' ')
  const ask = [
    commandCompletionScript('bash', program),
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    // As bash calls it: the program, the word, and the word before.
    `_my_img my-img '${words.at(-1)}' '${words.at(-2)}'`,
    `printf "%s\\n" "$\{COMPREPLY[@]}"`,
  ].join('\n')
  const { stdout, stderr } = spawnSync('bash', ['-c', ask], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout.split('\n').filter(Boolean).sort()).toEqual(expected)
})
