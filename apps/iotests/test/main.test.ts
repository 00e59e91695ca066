// The built program: what it prints where, and its exit status, for every way it can be called.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import { usage } from '../src/command-line.ts'
import { scriptTools } from './support/fake-tools.ts'
import { temporaryFolder } from './support/folder.ts'

const program = join(inject('builtTools'), 'own/iotests.js')
const folder = temporaryFolder()
const scratch = temporaryFolder()
const env = { ...process.env, TMPDIR: scratch }
const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env })

/** Options that name an implementation of two scripts. */
function tools(scripts: { readonly img?: string; readonly io?: string }): string[] {
  const { commands } = scriptTools(folder, scripts)
  return ['--qemu-img', commands['qemu-img'].join(' '), '--qemu-io', commands['qemu-io'].join(' ')]
}

test('help and list', () => {
  expect(run('--help')).toMatchObject({ stdout: usage, status: 0 })
  const { stdout, status } = run('-l', '-g', 'backing')
  expect(status).toBe(0)
  expect(stdout).toMatch(/^097-backing-chain-commits {2}\[auto quick backing commit\] {2}commit through/)
  expect(stdout).not.toContain('098')
})

test('an implementation that does nothing fails, with a diff and nothing left behind', () => {
  const { stdout, status } = run('097', ...tools({}))
  expect(status).toBe(1)
  expect(stdout).toMatch(/^097-backing-chain-commits {2}FAIL {2}[\d.]+ s {2}\(output differs\)\n--- 097-/)
  expect(stdout).toContain('-Image committed.')
  expect(stdout.endsWith('\n0 passed, 1 failed, 0 skipped\n')).toBe(true)
  expect(readdirSync(scratch)).toEqual([])
})

test('skipped tests are no failure', () => {
  const { stdout, status } = run('--format', 'raw', ...tools({}))
  expect(status).toBe(0)
  expect(stdout).toContain('098-make-empty-under-faults  skipped  (is about the way qcow2 is emptied')
  expect(stdout.endsWith('\n0 passed, 0 failed, 2 skipped\n')).toBe(true)
})

test('the report as JSON is all there is', () => {
  const { stdout, status } = run('097', '--json', ...tools({}))
  expect(status).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ tools: 'given', format: 'qcow2', passed: 0, failed: 1, skipped: 0 })
})

test.each([
  [['999'], "No test '999'"],
  [['-g', 'slow'], "No group 'slow'"],
  [['--frob'], "Unknown option '--frob'"],
  [['--tools', '/nowhere'], "No qemu-img in '/nowhere'"],
])('%j is a wrong command line', (args, message) => {
  const { stderr, status } = run(...args)
  expect(status).toBe(2)
  expect(stderr.startsWith(`iotests: ${message}`)).toBe(true)
})

test('an interrupt ends the tool that runs and leaves nothing behind', async () => {
  const marker = join(folder, 'running')
  const child = spawn(process.execPath, [program, '097', ...tools({ img: `: > ${marker}; sleep 60` })], { env })
  const ended = new Promise((done) => child.once('close', done))
  while (!existsSync(marker)) await sleep(20)
  child.kill('SIGINT')
  expect(await ended).toBe(2)
  expect(readdirSync(scratch)).toEqual([])
})
