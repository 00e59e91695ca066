// Proves that info --limits tells what a node asks of requests, for people and for programs, and nothing without it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { oursHere } from '../support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-limits-'))
  await oursHere(['create', '-q', '-f', 'qcow2', 'disk', '1M'], { cwd })
})
afterAll(() => rmSync(cwd, { recursive: true }))

test('for people', async () => {
  const { stdout } = await oursHere(['info', '--limits', 'disk'], { cwd })
  expect(stdout).toMatch(
    /\nBlock limits:\n {4}request alignment: \d+\n {4}discard alignment: 65536\n {4}write zeroes alignment: 65536\n$/,
  )
  expect((await oursHere(['info', 'disk'], { cwd })).stdout).not.toContain('Block limits')
})

test('for programs', async () => {
  const { stdout } = await oursHere(['info', '--limits', '--output=json', 'disk'], { cwd })
  expect(JSON.parse(stdout).limits).toMatchObject({ 'discard-alignment': 65536, 'write-zeroes-alignment': 65536 })
})
