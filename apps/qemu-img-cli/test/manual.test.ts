// Proves that the manual and completion name every command and every option, and that a reader of troff and a shell take
// them without a word of complaint.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { commandOptions } from '../src/args/command-options.ts'
import { completionText, manText } from '../src/manual.ts'
import { commandTables } from '../src/tables/index.ts'
import { oursHere } from './support/tools.ts'

const cwd = import.meta.dirname
const program = { programName: 'qemu-img', compat: '10', formats: ['qcow2', 'raw'] } as const

describe('the manual', () => {
  test('has every command and every option', () => {
    const text = manText(program).replaceAll('\\-', '-')
    for (const table of commandTables) {
      expect(text).toContain(`\n.B ${table.name} ${table.usage}\n`)
      for (const { long, letter } of commandOptions(table, '10')) {
        expect(text).toMatch(new RegExp(`^\\.B .*${long === undefined ? `-${letter}\\b` : `--${long}\\b`}`, 'm'))
      }
    }
  })

  const hasGroff = spawnSync('groff', ['--version']).status === 0
  test.skipIf(!hasGroff)(hasGroff ? 'is troff' : 'is troff (skipped: groff is not installed)', () => {
    const options = ['-man', '-Tutf8', '-ww']
    const { stdout, stderr } = spawnSync('groff', options, { input: manText(program), encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(stdout).toContain('Changes what an image was created with.')
  })

  test('is what --man prints', async () => {
    const { stdout, stderr, status } = await oursHere(['--man'], { cwd })
    expect(stdout).toMatch(/^\.TH "QEMU\\-IMG" 1 /)
    expect([stderr, status]).toEqual(['', 0])
  })
})

describe('completion', () => {
  test('is printed for the shells there are', async () => {
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      const { stdout, status } = await oursHere(['--completion', shell], { cwd })
      expect([stdout.includes('skip-broken-bitmaps'), status]).toEqual([true, 0])
    }
    const { stderr, status } = await oursHere(['--completion', 'csh'], { cwd })
    expect(stderr).toBe(
      "qemu-img: Completion is for bash, zsh, fish, not 'csh'\nTry 'qemu-img --help' for more information\n",
    )
    expect(status).toBe(1)
  })

  test.each([
    ['qemu-img co', ['commit', 'compare', 'convert']],
    ['qemu-img convert -O q', ['qcow2']],
    ['qemu-img convert --target-i', ['--target-image-opts', '--target-is-zero']],
    ['qemu-img rebase --comp', ['--compress']],
    ['qemu-img dd o', ['of=']],
    ['qemu-img check -r ', ['all', 'leaks']],
  ])('bash completes: %s', (line, expected) => {
    const words = line.split(' ')
    const ask = [
      completionText('bash', program),
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length - 1}`,
      `_qemu_img qemu-img '${words.at(-1)}' '${words.at(-2)}'`,
      `printf "%s\\n" "$\{COMPREPLY[@]}"`,
    ].join('\n')
    const { stdout, stderr } = spawnSync('bash', ['-c', ask], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(stdout.split('\n').filter(Boolean).sort()).toEqual(expected)
  })
})
