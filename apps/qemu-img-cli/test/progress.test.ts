// Proves --progress of all commands: which form goes where, and that -p alone stays the reference's.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startProgress } from '../src/progress-signal.ts'
import { oursHere, shell } from './support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-progress-'))
  writeFileSync(join(cwd, 'data'), new Uint8Array(2 ** 20).fill(1))
  await oursHere(['create', '-q', '-f', 'qcow2', '-b', 'data', '-F', 'raw', 'overlay'], { cwd })
})
afterAll(() => rmSync(cwd, { recursive: true }))

/** Runs the line; the last word of some commands is no option whatever it looks like. */
function withProgress(line: string): ReturnType<typeof oursHere> {
  const [command = '', ...rest] = line.split(' ')
  return oursHere([command, '--progress', 'json', ...rest], { cwd })
}

const reference = '    (0.00/100%)\r    (100.00/100%)\r    (100.00/100%)\r\n'

test("-p alone is the reference's, --progress text the same without -p, none is silence", async () => {
  const convert = async (...options: string[]): Promise<string> => {
    const { stdout, stderr, status } = await oursHere(['convert', ...options, 'data', 'copy'], { cwd })
    expect([stderr, status]).toEqual(['', 0])
    return stdout
  }
  expect(await convert('-p')).toBe(reference)
  expect(await convert('--progress', 'text')).toBe(reference)
  expect(await convert('-p', '--progress=none')).toBe('')
  expect(await convert('-q', '--progress=text')).toBe('')
  // Standard error is no terminal here.
  expect(await convert('-p', '--progress=bar')).toBe('')
})

test.each([
  ['amend -f qcow2 -o lazy_refcounts=on overlay'],
  ['compare data overlay'],
  ['convert data copy'],
  ['commit -d overlay'],
  ['rebase -u -b data -F raw overlay'],
  ['bench -c 300 data'],
  ['check overlay'],
  ['check -r all --output json overlay'],
  ['dd bs=64k if=data of=copy'],
  ['create -f qcow2 -o preallocation=metadata new 64M'],
  ['create -o preallocation=full new.raw 2M'],
  ['resize -f raw --preallocation=full new.raw 4M'],
  ['snapshot -c first new'],
  ['snapshot -l new'],
  ['bitmap --add --disable --enable new b0'],
  ['map --output json overlay'],
  ['map --output svg overlay'],
  ['measure -O qcow2 overlay'],
  ['info overlay'],
  ['info --output html overlay'],
  ['info --untrusted data'],
])('--progress json: %s', async (line) => {
  const { stdout, stderr, status } = await withProgress(line)
  expect(status).toBe(0)
  expect(stdout).not.toContain('/100%')
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { event: string; percent: number })
  expect(lines.every(({ percent }, at) => at === 0 || percent > (lines[at - 1]?.percent ?? 0))).toBe(true)
  expect(lines.every(({ event }) => event === 'progress')).toBe(true)
  expect([lines[0]?.percent, lines.at(-1)?.percent]).toEqual([0, 100])
})

test('a preallocation tells how far it is', async () => {
  for (const line of [
    'create -q -f raw -o preallocation=full grown 8M',
    'resize -q -f raw --preallocation=full grown +8M',
  ]) {
    const { stderr } = await withProgress(line.replace(' -q', ''))
    const percents = stderr
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { percent: number }).percent)
    expect(percents.length).toBeGreaterThan(5)
    const quiet = await withProgress(line)
    expect(quiet.stderr).toBe('')
    expect(quiet.stdout).toBe('')
  }
})

test('a command that fails does not say that it is done', async () => {
  const { stderr, status } = await oursHere(['resize', '--progress', 'json', 'overlay', '512'], { cwd })
  expect(status).toBe(1)
  expect(stderr).toContain('"percent":0,')
  expect(stderr).not.toContain('"percent":100')
})

test('commands without -p show progress only where it is asked for', async () => {
  const out = async (...args: string[]): Promise<string> => (await oursHere(args, { cwd })).stdout
  expect(await out('dd', 'if=data', 'of=copy')).toBe('')
  const shown = /^( {4}\(\d+\.\d\d\/100%\)\r)* {4}\(100\.00\/100%\)\r\n$/
  expect(await out('dd', '--progress', 'text', 'if=data', 'of=copy')).toMatch(shown)
  expect(await out('bench', '-c', '2', '--progress', 'text', 'data')).toContain('(100.00/100%)\r\nRun completed')
  expect(await out('check', '--progress', 'text', 'overlay')).toContain('(100.00/100%)\r\nNo errors were found')
  // Standard output is for the report, where that is JSON.
  expect(JSON.parse(await out('check', '--progress', 'text', '--output', 'json', 'overlay'))).toHaveProperty('filename')
  for (const command of ['check', 'bench'])
    expect(await out(command, '-q', '--progress=text', 'data')).not.toContain('%')
})

test('an option of ours has no abbreviation, and takes what it says only', async () => {
  const said = async (...args: string[]): Promise<string> => (await oursHere(args, { cwd })).stderr
  expect(await said('convert', '--progr', 'json', 'data', 'copy')).toContain("unrecognized option '--progr'")
  expect(await said('info', '--progr', 'json', 'data')).toContain("unrecognized option '--progr'")
  expect(await said('convert', '--progress', 'dots', 'data', 'copy')).toBe(
    'qemu-img: --progress must be used with bar, text, json, none as argument.\n',
  )
})

describe('startProgress', () => {
  const start = (settings: { output: 'human' | 'json'; progress?: 'bar' | 'text'; columns?: number }): string => {
    const said: string[] = []
    const progress = startProgress(
      {
        out: (text) => void said.push(`out ${text}`),
        err: (text) => void said.push(`err ${text}`),
        errColumns: () => settings.columns,
        presentation: { output: settings.output, progress: settings.progress, errors: 'text' },
      },
      { enabled: true, quiet: false, minSkip: 1 },
    )
    progress.report(0)
    progress.end()
    process.removeAllListeners('SIGUSR1')
    return said.join('')
  }

  test('draws a bar on a terminal only', () => {
    expect(start({ output: 'human', progress: 'bar', columns: 40 })).toMatch(/^err \r {2}0\.0% \[ +\]err \n$/)
    expect(start({ output: 'human', progress: 'bar' })).toBe('')
  })

  test('keeps standard output free for a result in JSON', () => {
    expect(start({ output: 'human' })).toBe('out     (0.00/100%)\rout \n')
    expect(start({ output: 'json' })).toBe('err     (0.00/100%)\rerr \n')
  })
})

test('a terminal gets its bar', () => {
  // `script` gives the program a terminal for all it prints.
  const tool = `${process.execPath} ${join(import.meta.dirname, '../dist/qemu-img.js')}`
  const shown = shell(`script -qec "${tool} convert --progress bar data copy" /dev/null`, { cwd })
  // Spaces behind it hide the rest of a line that was longer.
  expect(shown).toMatch(/\r {2}0\.0% .*\r100\.0% \[=+\] +[\d.]+ [KMG]iB\/s +0:0\d *\r?\n$/s)
})
