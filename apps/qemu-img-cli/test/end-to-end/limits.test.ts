// Proves that info --limits tells what each node of an image asks of requests, for people and for programs, and nothing
// without it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ours, oursHere } from '../support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-limits-'))
  await oursHere(['create', '-q', '-f', 'qcow2', 'disk', '1M'], { cwd })
})
afterAll(() => rmSync(cwd, { recursive: true }))

test('for people, of each node', async () => {
  const { stdout } = await oursHere(['info', '--limits', 'disk'], { cwd })
  const [image = '', file = ''] = stdout.split("Child node '/file':\n")
  expect(image).toMatch(
    /\nBlock limits:\n {4}request alignment: \d+\n {4}discard alignment: 65536\n {4}write zeroes alignment: 65536\n$/,
  )
  expect(file).toMatch(/^ {4}filename: disk\n.*\n {4}Block limits:\n {8}request alignment: \d+\n$/s)
  expect((await oursHere(['info', 'disk'], { cwd })).stdout).not.toContain('Block limits')
})

test('for programs, of each node', async () => {
  const { stdout } = await oursHere(['info', '--limits', '--output=json', 'disk'], { cwd })
  expect(JSON.parse(stdout)).toMatchObject({
    limits: { 'discard-alignment': 65536, 'write-zeroes-alignment': 65536 },
    children: [{ name: 'file', info: { limits: { 'request-alignment': expect.any(Number) } } }],
  })
})

test('of each node of each image of a chain', async () => {
  await oursHere(['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4k', '-b', 'disk', '-F', 'qcow2', 'top'], { cwd })
  const { stdout } = await oursHere(['info', '--limits', '--backing-chain', '--output=json', 'top'], { cwd })
  expect(JSON.parse(stdout)).toMatchObject([
    { limits: { 'discard-alignment': 4096 }, children: [{ info: { limits: {} } }] },
    { limits: { 'discard-alignment': 65536 }, children: [{ info: { limits: {} } }] },
  ])
})

test('as QEMU 10, the same', async () => {
  const run = (compat: string): string =>
    ours(['info', '--limits', 'disk'], { cwd, env: { BLOCKLAYER_COMPAT: compat } }).stdout
  expect(run('10')).toBe(run('7.2'))
})
