// Proves what programs read of errors: one JSON line with a stable code, whatever went wrong and wherever.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BlockError } from '@blocklayer/block-core'
import { errorCode, errorCodes } from '../src/error-codes.ts'
import { Failure } from '../src/failure.ts'
import { errorFormOf } from '../src/presentation.ts'
import { ours, oursHere } from './support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-errors-'))
  writeFileSync(join(cwd, 'data'), new Uint8Array(2 ** 20).fill(1))
  await oursHere(['create', '-q', '-f', 'qcow2', 'image', '1M'], { cwd })
})
afterAll(() => rmSync(cwd, { recursive: true }))

const tryHelp = "Try 'qemu-img --help' for more information"

test.each([
  [['foo'], 'usage', null, 'Command not found: foo', tryHelp, 1],
  [['info', '--bogus', 'image'], 'usage', null, "unrecognized option '--bogus'", tryHelp, 1],
  [['info'], 'usage', null, 'Expecting one image file name', tryHelp, 1],
  [['measure', '--bogus'], 'usage', null, "unrecognized option '--bogus'", tryHelp, 1],
  [
    ['create', 'x', '1Q'],
    'usage',
    null,
    expect.stringMatching(/^Invalid image size specified\..*for\nkilobytes/),
    null,
    1,
  ],
  [['bitmap', 'image', 'b'], 'usage', null, expect.stringContaining('Need at least one of --add'), null, 1],
  [
    ['info', 'nothing'],
    'open-failed',
    'ENOENT',
    "Could not open 'nothing': Could not open 'nothing': No such file or directory",
    null,
    1,
  ],
  [
    ['compare', 'image', 'nothing'],
    'open-failed',
    'ENOENT',
    expect.stringContaining("Could not open 'nothing'"),
    null,
    2,
  ],
  [
    ['create', '-f', 'qcow2', 'no/such/x', '1M'],
    'create-failed',
    'ENOENT',
    expect.stringContaining('no/such/x: '),
    null,
    1,
  ],
  [
    ['convert', 'data', 'no/such/x'],
    'create-failed',
    'ENOENT',
    expect.stringContaining('error while converting raw'),
    null,
    1,
  ],
  [['resize', '-f', 'raw', 'data', '+0'], null, null, '', null, 0],
  [
    ['resize', '-f', 'raw', 'data', '512'],
    'refused',
    'EINVAL',
    'Use the --shrink option to perform a shrink operation.',
    expect.stringContaining('Shrinking an image'),
    1,
  ],
  [['snapshot', '-d', 'x', 'image'], 'refused', 'ENOENT', "Could not delete snapshot 'x': snapshot not found", null, 1],
  [
    ['bitmap', '--remove', 'image', 'x'],
    'operation-failed',
    'ENOENT',
    expect.stringContaining('Operation remove on bitmap x failed'),
    null,
    1,
  ],
  [
    ['measure', '-O', 'qcow2', '-o', 'bogus=1', '--size', '1M'],
    'operation-failed',
    'EINVAL',
    "Invalid parameter 'bogus'\nInvalid options for file format 'qcow2'",
    null,
    1,
  ],
  [
    [
      'convert',
      '--image-opts',
      'driver=raw,file.driver=blkdebug,file.image.filename=data,file.inject-error.0.event=none,file.inject-error.0.iotype=read',
      'copy',
    ],
    'read-failed',
    'EIO',
    expect.stringContaining('error while reading'),
    null,
    1,
  ],
] as const)('%j', async (args, code, errno, message, hint, exitCode) => {
  const { stderr, status } = await oursHere(['--errors', 'json', ...args], { cwd })
  expect(status).toBe(exitCode)
  if (code === null) expect(stderr).toBe('')
  else expect(JSON.parse(stderr)).toEqual({ event: 'error', code, errno, message, hint, exitCode })
  rmSync(join(cwd, 'copy'), { force: true })
})

test('warnings are lines of their own, in front of the error', async () => {
  const { stderr, status } = await oursHere(['create', '-f', 'raw', '--errors=json', 'no/such/x', '1.5'], { cwd })
  expect(status).toBe(1)
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; message: string })
  expect(events.map(({ event }) => event).at(-1)).toBe('error')
  for (const { message } of events) expect(message).not.toBe('')
})

test('what a driver remarks is an event too: a raw image that was probed', async () => {
  const { stderr, status } = await oursHere(['resize', '--errors=json', 'data', '+512'], { cwd })
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event)
  expect(status).toBe(0)
  expect(new Set(events)).toEqual(new Set(['remark']))
})

test('a locked image has a code of its own', () => {
  const error = new BlockError('EAGAIN', 'Failed to get "write" lock').prepend("Could not open 'x': ")
  expect(errorCode(error, { started: true })).toBe('image-locked')
  expect(errorCode(new Failure('x', { cause: error, code: 'create-failed' }), { started: true })).toBe('image-locked')
  expect(errorCode(new BlockError('EAGAIN', 'try again'), { started: true })).toBe('operation-failed')
})

test.each([
  ['error while writing at byte 0: Input/output error', 'write-failed'],
  ['Error while reading offset 0 of x: Input/output error', 'read-failed'],
  ['Error while closing the image: No space left on device', 'close-failed'],
  ['x: error while creating output image: Is a directory', 'create-failed'],
] as const)('%s', (message, code) => {
  expect(errorCode(new BlockError('EIO', message), { started: true })).toBe(code)
  expect(Object.keys(errorCodes)).toContain(code)
})

describe('the form', () => {
  test('is found before anything is understood, but not behind --', () => {
    expect(errorFormOf(['foo', '--errors', 'json'], undefined)).toBe('json')
    expect(errorFormOf(['--errors=json', 'x', '--errors', 'text'], undefined)).toBe('text')
    expect(errorFormOf(['--', '--errors=json'], undefined)).toBe('text')
    expect(errorFormOf([], 'json')).toBe('json')
    expect(errorFormOf(['--errors=text'], 'json')).toBe('text')
  })

  test('comes from the environment too, and a word that is none is refused', () => {
    const line = ours(['foo'], { cwd, env: { BLOCKLAYER_ERRORS: 'json' } }).stderr
    expect(JSON.parse(line)).toMatchObject({ code: 'usage', exitCode: 1 })
    const refusal = `qemu-img.js: --errors must be text or json, not 'xml'\n${tryHelp}\n`.replace('.js', '')
    expect(ours(['info', 'image'], { cwd, env: { BLOCKLAYER_ERRORS: 'xml' } }).stderr).toBe(refusal)
    expect(ours(['info', '--errors=xml', 'image'], { cwd }).stderr).toBe(refusal)
    expect(ours(['--errors', 'xml', 'info', 'image'], { cwd }).stderr).toBe(refusal)
  })
})

test('the codes are published', () => {
  const published = readFileSync(join(import.meta.dirname, '../beyond.md'), 'utf8')
  for (const [code, meaning] of Object.entries(errorCodes)) expect(published).toContain(`| \`${code}\` | ${meaning} |`)
})
