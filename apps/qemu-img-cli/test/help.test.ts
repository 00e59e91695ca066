// Proves what scripts look for in --help and --version: commands, formats, and the reference's version.

import { expect, test } from 'vitest'
import { ours } from './support/tools.ts'

const cwd = import.meta.dirname

test('--version begins with the version of the reference', () => {
  const { stdout, status } = ours(['--version'], { cwd })
  expect(stdout).toMatch(/^qemu-img version 7\.2\.22 \(Blocklayer \d+\.\d+\.\d+\)\nCopyright \(c\) .*\n$/)
  expect(status).toBe(0)
  expect(ours(['-V'], { cwd }).stdout).toBe(stdout)
})

test('--help lists the commands in order, and the formats on one line', () => {
  const { stdout, stderr, status } = ours(['--help'], { cwd })
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) [[(]/gm)].map(([, name]) => name)
  expect(commands.join(' ')).toBe(
    'amend bench bitmap check commit compare convert create dd info map measure snapshot rebase resize',
  )
  expect(stdout).toMatch(/^Supported formats: blk\w+ .*\bcompress copy-on-read\b.* qcow2 .*\braw throttle$/m)
  expect([stderr, status]).toEqual(['', 0])
})

test('--help inside a command is the same text, and what follows it is not looked at', () => {
  const { stdout } = ours(['--help'], { cwd })
  expect(ours(['info', '-h', '--bogus'], { cwd }).stdout).toBe(stdout)
  expect(ours(['info', '--bogus', '-h'], { cwd }).stdout).toBe('')
  expect(ours(['--he'], { cwd }).stdout).toBe(stdout)
})

test('tracing is accepted and ignored', () => {
  expect(ours(['-T', 'x'], { cwd })).toEqual({ stdout: '', stderr: '', status: 0 })
})

test('as QEMU 10 each command has a help of its own', async () => {
  const { stdout, status } = ours(['check', '--help'], { cwd, env: { BLOCKLAYER_COMPAT: '10' } })
  expect(stdout).toMatch(
    /^Looks for damage in an image's metadata, and mends it on request\. {2}Usage:\n\n {2}qemu-img check \[--object/,
  )
  expect(stdout).toContain('\n  -r, --repair WHAT\n     mend what is found\n')
  for (const line of stdout.split('\n').slice(2, 6)) expect(line.length).toBeLessThan(80)
  expect(status).toBe(0)
})
