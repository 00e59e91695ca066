// Proves that map and info draw: a picture of the chain, or of the image alone, whole, on standard output, and that what
// cannot be drawn is refused before anything is printed.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Outcome, oursHere } from '../support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-pictures-'))
  for (const args of ['create -q -f qcow2 base 8M', 'create -q -f qcow2 -b base -F qcow2 top<b>']) {
    expect(await run(args)).toMatchObject({ stderr: '', status: 0 })
  }
})
afterAll(() => rmSync(cwd, { recursive: true }))

const run = (args: string): Promise<Outcome> => oursHere(args.split(' '), { cwd })

test('map draws the chain', async () => {
  const { stdout, stderr, status } = await run('map --output=svg top<b>')
  expect(stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
  expect(stdout).toContain('>0  top&lt;b&gt; (qcow2): 0 B of the disk<')
  expect(stdout).toContain('>1  base (qcow2): 0 B of the disk<')
  expect([stderr, status]).toEqual(['', 0])
  expect((await run('map --output=html top<b>')).stdout).toMatch(/^<!doctype html>[\s\S]*<td>1|<bdi>base<\/bdi>/)
})

test('info draws the image alone, or with its chain', async () => {
  const { stdout } = await run('info --output=html top<b>')
  expect(stdout).toContain('Its backing file <bdi>base</bdi> was not looked at.')
  const chain = await run('info --output=html --backing-chain top<b>')
  expect(chain.stdout).not.toContain('was not looked at')
  expect(chain.stdout).toContain('<bdi>base</bdi>')
})

test('images of strangers are judged before they are drawn', async () => {
  expect(await run('info --untrusted --output=html top<b>')).toEqual({
    stdout: '',
    stderr: "qemu-img: Refused 'top<b>': names a backing file: 'base'\n",
    status: 65,
  })
  expect((await run('map --untrusted --output=svg base')).stdout).toContain('<svg ')
})

test.each([
  [
    'map --output=svg -s 1 base',
    'A picture shows the whole disk: --start-offset and --max-length cannot be used with it',
  ],
  ['info --output=svg base', '--output must be used with human or json as argument.'],
  ['map --output=png base', '--output must be used with human or json as argument.'],
])('%s', async (args, message) => {
  expect(await run(args)).toEqual({ stdout: '', stderr: `qemu-img: ${message}\n`, status: 1 })
})
