// A bundle runs the same with compiled code and without; only the second run starts from what the first has left.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-cli-host-'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'commonjs', buildId: 'one' }))
  writeFileSync(
    join(folder, 'program.js'),
    `const path = require('node:path')
     function say(word) { console.log(word, path.basename(__filename), path.basename(__dirname) === ${JSON.stringify(
       folder.split('/').at(-1),
     )}) }
     exports.main = (load) => load('node:os').then((os) => { say(typeof os.EOL); process.exitCode = Number(process.argv[2] ?? 0) })`,
  )
  const source = join(import.meta.dirname, '../src/index.ts')
  writeFileSync(
    join(folder, 'start.mjs'),
    `import { runBundle } from ${JSON.stringify(source)}
     runBundle({ name: 'tool', folder: ${JSON.stringify(folder)}, file: 'program.js', kind: 'say' }).main((specifier) => import(specifier))`,
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs the program, which must say the same every time. */
function start(options: { readonly status?: number; readonly environment?: Record<string, string> } = {}): void {
  const { status = 0, environment = {} } = options
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: join(folder, 'cache'), ...environment }
  const run = spawnSync(process.execPath, [join(folder, 'start.mjs'), String(status)], { env, encoding: 'utf8' })
  expect([run.stdout, run.stderr, run.status]).toEqual(['string program.js true\n', '', status])
}

function cached(): string[] {
  return readdirSync(join(folder, 'cache/blocklayer'))
}

/** The one file of compiled code. */
function cachedFile(): string {
  const [name] = cached()
  return join(folder, 'cache/blocklayer', name!)
}

test('the second run uses what the first has left', () => {
  start()
  expect(cached().length).toBe(1)
  expect(cached()[0]).toMatch(/^tool-one-.*-say\.bin$/)
  const first = readFileSync(cachedFile())
  start()
  expect(readFileSync(cachedFile()).equals(first)).toBe(true)
})

test('what is no compiled code is replaced', () => {
  start()
  writeFileSync(cachedFile(), 'no code at all')
  start()
  expect(readFileSync(cachedFile()).length).toBeGreaterThan(100)
})

test('a bundle that is changed in its place, to one of the same length, does not run the old code', () => {
  start()
  const path = join(folder, 'program.js')
  writeFileSync(path, readFileSync(path, 'utf8').replace('typeof os.EOL', '"string" || 1'))
  start()
  expect(cached().length).toBe(2)
})

test('code with a flipped bit is not run', () => {
  start()
  const flipped = readFileSync(cachedFile())
  flipped[flipped.length >> 1]! ^= 4
  writeFileSync(cachedFile(), flipped)
  start()
  expect(readFileSync(cachedFile()).equals(flipped)).toBe(false)
})

test('another build has code of its own', () => {
  start()
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ buildId: 'two' }))
  start()
  expect(cached().length).toBe(2)
})

test('a build without a name keeps no code', () => {
  writeFileSync(join(folder, 'package.json'), '{}')
  start()
  rmSync(join(folder, 'package.json'))
  start()
  expect(() => cached()).toThrow('ENOENT')
})

test('a run that failed leaves nothing: it may not have come far', () => {
  start({ status: 3 })
  expect(() => cached()).toThrow('ENOENT')
})

test('who wants no cache has none, and neither has who may not write one', () => {
  start({ environment: { NODE_DISABLE_COMPILE_CACHE: '1' } })
  expect(() => cached()).toThrow('ENOENT')
  mkdirSync(join(folder, 'cache'))
  writeFileSync(join(folder, 'cache/blocklayer'), '')
  start()
})
