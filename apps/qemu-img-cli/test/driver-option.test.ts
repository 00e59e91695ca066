// Proves that drivers come from packages and files that the user names, and that each way to get it wrong is told apart.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { builtInDrivers } from '../src/drivers.ts'
import { ours } from './support/tools.ts'

const driver = (name: string): string =>
  `{ formatName: '${name}', kind: 'format', options: {}, async open() { throw new Error('never') } }`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-drivers-'))
  const packaged = join(folder, 'node_modules/some-driver')
  mkdirSync(packaged, { recursive: true })
  writeFileSync(join(packaged, 'package.json'), '{ "type": "module", "exports": { "import": "./index.js" } }')
  writeFileSync(join(packaged, 'index.js'), `export const some = ${driver('some')}\nexport const helper = 3\n`)
  writeFileSync(join(folder, 'local.mjs'), `export const a = ${driver('aaa')}\nexport { a as b }\n`)
  writeFileSync(join(folder, 'again.mjs'), `export const raw = ${driver('raw')}\n`)
  writeFileSync(join(folder, 'nothing.mjs'), 'export const x = 1\n')
  writeFileSync(join(folder, 'broken.mjs'), 'throw new Error("went wrong")\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

function formats(args: readonly string[], env: Record<string, string> = {}): string {
  const { stdout, stderr } = ours(args, { cwd: folder, env })
  return stderr + (/Supported formats:(.*)/.exec(stdout)?.[1] ?? '')
}

/** The list that `--help` shows: every format once, sorted. */
function withBuiltIn(...names: string[]): string {
  return ` ${[...builtInDrivers(new Map()).map(({ formatName }) => formatName), ...names].sort().join(' ')}`
}

test('a package is found from where the user stands', () => {
  expect(formats(['--driver', 'some-driver', '--help'])).toBe(withBuiltIn('some'))
})

test('a file, before the command or after it, once however often it is exported', () => {
  expect(formats(['--driver', './local.mjs', '--help'])).toBe(withBuiltIn('aaa'))
  expect(formats(['info', '--driver=./local.mjs', '--help'])).toBe(withBuiltIn('aaa'))
  expect(formats(['info', '--driver', join(folder, 'local.mjs'), '--help'])).toBe(withBuiltIn('aaa'))
})

test('the environment names several', () => {
  expect(formats(['--help'], { BLOCKLAYER_DRIVERS: './local.mjs,some-driver' })).toBe(withBuiltIn('aaa', 'some'))
})

test.each([
  ['missing-package', "qemu-img: Could not load driver 'missing-package': "],
  ['./missing.mjs', "qemu-img: Could not load driver './missing.mjs': "],
  ['./broken.mjs', "qemu-img: Could not load driver './broken.mjs': went wrong"],
  ['./nothing.mjs', "qemu-img: Module './nothing.mjs' exports no block driver"],
  ['./again.mjs', "qemu-img: Module './again.mjs' defines driver 'raw' again"],
])('%s is refused', (module, message) => {
  const { stderr, status } = ours(['--driver', module, 'info', 'x'], { cwd: folder })
  expect(stderr).toContain(message)
  expect(status).toBe(1)
})
