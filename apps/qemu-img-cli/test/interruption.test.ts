// Proves that SIGINT and SIGTERM end a command in good order at any moment: what it made is gone, what was there is left
// and said so, sources are untouched, images are whole, and the exit status is what a shell expects.

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runTool } from '../src/run.ts'
import { oursHere, oursPath } from './support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-interruption-'))
  writeFileSync(join(cwd, 'data'), new Uint8Array(8 * 2 ** 20).fill(0x5a))
  writeFileSync(join(cwd, 'zeroes'), new Uint8Array(8 * 2 ** 20))
  await made('create -q -f qcow2 -b zeroes -F raw overlay')
  await made('convert -n --target-image-opts data driver=qcow2,file.filename=overlay')
  await made('create -q -f qcow2 -b data -F raw thin')
  await made('create -q -f qcow2 existing 8M')
})
afterAll(() => rmSync(cwd, { recursive: true }))

async function made(line: string): Promise<string> {
  const { stdout, stderr, status } = await oursHere(line.split(' '), { cwd })
  expect([stderr, status]).toEqual(['', 0])
  return stdout
}

function digest(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(cwd, name)))
    .digest('hex')
}

/** Runs a command here, and has the signal come exactly when its n-th line of progress does. */
async function interruptedAt(
  line: string,
  { nth, signal = 'SIGINT' }: { readonly nth: number; readonly signal?: 'SIGINT' | 'SIGTERM' },
): Promise<{ readonly said: string; readonly status: number }> {
  const [command = '', ...rest] = line.split(' ')
  const home = process.cwd()
  let seen = 0
  let said = ''
  const err = (text: string): void => {
    if (!text.includes('"progress"')) said += text
    else if (++seen === nth) process.emit(signal)
  }
  process.chdir(cwd)
  try {
    const args = [command, '--progress', 'json', ...rest]
    const terminal = { out: () => {}, err }
    const status = await runTool({
      programName: 'qemu-img',
      args,
      terminal,
      directory: cwd,
      driverModules: undefined,
      importModule: (specifier) => import(specifier),
    })
    return { said, status }
  } finally {
    process.chdir(home)
    process.removeAllListeners('SIGUSR1')
  }
}

describe('convert', () => {
  test.each([1, 2, 3, 4])('at its %i. line of progress: a new target is gone, the source untouched', async (nth) => {
    const before = digest('data')
    for (const options of [
      '-O qcow2',
      '-O raw',
      '-c -O qcow2',
      '-O qcow2 -o data_file=copy.data',
      '-W -m 1 -O qcow2',
    ]) {
      const { said, status } = await interruptedAt(`convert ${options} data copy`, { nth })
      expect(status).toBe(130)
      expect(said).toMatch(/^qemu-img: Interrupted by SIGINT: 'copy' was (removed|not made)\n$/)
      expect([existsSync(join(cwd, 'copy')), existsSync(join(cwd, 'copy.data'))]).toEqual([false, false])
    }
    expect(digest('data')).toBe(before)
  })

  test('by SIGTERM: status 143', async () => {
    const { said, status } = await interruptedAt('convert -O raw data copy', { nth: 3, signal: 'SIGTERM' })
    expect([said, status]).toEqual(["qemu-img: Interrupted by SIGTERM: 'copy' was removed\n", 143])
  })

  test('a target that was there is left, whole, and said to be incomplete', async () => {
    for (const options of ['-n -O qcow2', '-O qcow2']) {
      const { said, status } = await interruptedAt(`convert ${options} data existing`, { nth: 3 })
      expect(said).toBe("qemu-img: Interrupted by SIGINT: 'existing' was there before and is left, incomplete\n")
      expect(status).toBe(130)
      expect(await made('check existing')).toContain('No errors were found')
    }
  })

  test('as JSON', async () => {
    const { said } = await interruptedAt('convert --errors json -O raw data copy', { nth: 3 })
    const message = "Interrupted by SIGINT: 'copy' was removed"
    expect(JSON.parse(said)).toEqual({
      event: 'error',
      code: 'interrupted',
      errno: null,
      message,
      hint: null,
      exitCode: 130,
    })
  })
})

test.each([1, 2, 3])(
  'commit at its %i. line of progress: the overlay holds all, both images are whole',
  async (nth) => {
    const { said, status } = await interruptedAt('commit -r 64M overlay', { nth })
    expect([said, status]).toEqual(["qemu-img: Interrupted by SIGINT: 'overlay' still holds all that it held\n", 130])
    expect(await made('check overlay')).toContain('No errors were found')
    expect(await made('compare overlay data')).toContain('Images are identical.')
  },
)

test.each([1, 2, 3])('rebase at its %i. line of progress: the image reads as before', async (nth) => {
  const { said, status } = await interruptedAt('rebase -b zeroes -F raw thin', { nth })
  const outcome = "'thin' reads as before, and keeps its backing file"
  expect([said, status]).toEqual([`qemu-img: Interrupted by SIGINT: ${outcome}\n`, 130])
  expect(await made('info thin')).toContain('backing file: data')
  expect(await made('check thin')).toContain('No errors were found')
  expect(await made('compare thin data')).toContain('Images are identical.')
})

test('amend: the image is whole', async () => {
  const { said, status } = await interruptedAt('amend -o refcount_bits=64 overlay', { nth: 1 })
  const outcome = "'overlay' is whole, with none or some of the changes"
  expect([said, status]).toEqual([`qemu-img: Interrupted by SIGINT: ${outcome}\n`, 130])
  expect(await made('check overlay')).toContain('No errors were found')
})

test('nobody listens any more afterwards', () => {
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([0, 0])
})

describe('a process', () => {
  /** Starts a slow command, and sends the signal as soon as it says that it is at work. */
  async function killed(
    args: readonly string[],
    signal: 'SIGINT' | 'SIGTERM',
  ): Promise<readonly [string, number | null]> {
    const child: ChildProcess = spawn(process.execPath, [oursPath, ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let text = ''
    let sent = false
    child.stderr?.on('data', (bytes: Uint8Array) => {
      text += String(bytes)
      // Once: a second signal would end the process at once.
      if (!sent && /"percent":[1-9]/.test(text)) sent = child.kill(signal)
    })
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return [text.split('\n').at(-2) ?? '', status]
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('ends by %s with the line and the status', async (signal) => {
    // A minute of work, so that no slow machine is done before the signal comes.
    const slow = ['convert', '--progress', 'json', '-r', '128k', '-O', 'qcow2', 'data', 'copy']
    const [line, status] = await killed(slow, signal)
    expect(line).toBe(`qemu-img: Interrupted by ${signal}: 'copy' was removed`)
    expect(status).toBe(signal === 'SIGINT' ? 130 : 143)
    expect(existsSync(join(cwd, 'copy'))).toBe(false)
  })

  test('commit is ended in its wait for the rate limit', async () => {
    const [line, status] = await killed(['commit', '--progress', 'json', '-r', '128k', 'overlay'], 'SIGINT')
    expect(line).toBe("qemu-img: Interrupted by SIGINT: 'overlay' still holds all that it held")
    expect(status).toBe(130)
    expect(await made('compare overlay data')).toContain('Images are identical.')
  })
})
