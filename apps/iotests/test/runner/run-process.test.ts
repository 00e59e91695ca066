// A program's streams and status come back whole; one that outlives its time is ended with everything it started.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runProcess } from '../../src/runner/run-process.ts'
import { temporaryFolder } from '../support/folder.ts'

const folder = temporaryFolder()
const options = { cwd: folder, timeout: 20_000 }
const shell = (script: string) => ['sh', '-c', script] as const

test('streams, status and folder', async () => {
  const outcome = await runProcess(shell('pwd; echo bad >&2; exit 3'), [], options)
  expect(outcome).toEqual({ stdout: `${folder}\n`, stderr: 'bad\n', status: 3 })
})

test('a signal is 128 and its number', async () => {
  expect((await runProcess(shell('kill -ABRT $$'), [], options)).status).toBe(134)
})

test('there is no standard input, and the locale is fixed', async () => {
  expect((await runProcess(shell('cat; echo $LC_ALL $TZ'), [], options)).stdout).toBe('C.UTF-8 UTC\n')
})

test('after its time a program is ended, and so is what it started', async () => {
  const script = `echo begun; (sleep 3; echo late > late) & sleep 60; echo later`
  const outcome = await runProcess(shell(script), [], { cwd: folder, timeout: 1000 })
  expect(outcome).toEqual({ stdout: 'begun\n', stderr: '', status: undefined })
  await sleep(3500)
  expect(existsSync(join(folder, 'late'))).toBe(false)
})

test('a signal of the caller ends it too, with the reason given', async () => {
  const controller = new AbortController()
  const run = runProcess(shell('sleep 60'), [], { ...options, signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(run).rejects.toThrow('enough')
  await expect(runProcess(shell('true'), [], { ...options, signal: controller.signal })).rejects.toThrow('enough')
})

test('a program that cannot be started is an error', async () => {
  await expect(runProcess([join(folder, 'none')], [], options)).rejects.toThrow('ENOENT')
  writeFileSync(join(folder, 'plain'), '')
  await expect(runProcess([join(folder, 'plain')], [], options)).rejects.toThrow('EACCES')
})
