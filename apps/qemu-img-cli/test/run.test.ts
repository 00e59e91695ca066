// Proves how the program presents itself: its name in messages, and streams that end early.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { oursPath, shell } from './support/tools.ts'

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-run-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

test('messages begin with the name the program is called by', () => {
  symlinkSync(oursPath, join(cwd, 'blocklayer-qemu-img'))
  const { stderr } = spawnSync(process.execPath, [join(cwd, 'blocklayer-qemu-img'), 'foo'], { encoding: 'utf8' })
  // The hint's wording is fixed, as in the reference.
  expect(stderr).toBe("blocklayer-qemu-img: Command not found: foo\nTry 'qemu-img --help' for more information\n")
})

test('a reader that goes away does not fail the command', () => {
  expect(shell(`{ ${process.execPath} ${oursPath} --help; echo status $? >&2; } 2>&1 >/dev/full | cat`, { cwd })).toBe(
    'status 0\n',
  )
  expect(shell(`{ ${process.execPath} ${oursPath} --help; echo status $? >&2; } 2>&1 >&- | cat`, { cwd })).toBe(
    'status 0\n',
  )
})

test('SIGUSR1 asks for one line of progress; it neither ends the program nor opens a debugger', () => {
  shell('head -c 6M /dev/urandom > data', { cwd })
  const line = `${process.execPath} ${oursPath} convert -f raw -r 4M data copy & until [ -s copy ]; do sleep 0.05; done; kill -USR1 $!; wait $!; echo $?`
  const { stdout, stderr } = spawnSync('sh', ['-c', line], { cwd, encoding: 'utf8' })
  expect(stdout).toBe('0\n')
  expect(stderr).toMatch(/^ {4}\(\d+\.\d\d\/100%\)\n$/)
})
