// Drivers come from packages and files that the user names; each way to get it wrong is told apart.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver } from '@blocklayer/block-core/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { driversWithModules } from '../src/driver-modules.ts'

const driver = (name: string): string =>
  `{ formatName: '${name}', kind: 'format', options: {}, async open() { throw new Error('never') } }`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-cli-host-'))
  const packaged = join(folder, 'node_modules/some-driver')
  mkdirSync(packaged, { recursive: true })
  writeFileSync(join(packaged, 'package.json'), '{ "type": "module", "exports": { "import": "./index.js" } }')
  writeFileSync(join(packaged, 'index.js'), `export const some = ${driver('some')}\nexport const helper = 3\n`)
  writeFileSync(join(folder, 'local.mjs'), `export const a = ${driver('aaa')}\nexport { a as b }\n`)
  writeFileSync(join(folder, 'again.mjs'), `export const again = ${driver('memory')}\n`)
  writeFileSync(
    join(folder, 'nothing.mjs'),
    'export const x = 1\nexport const y = { formatName: "y", kind: "other" }\n',
  )
  writeFileSync(join(folder, 'broken.mjs'), 'throw new Error("went wrong")\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function names(...modules: string[]): Promise<string[]> {
  const importModule = (specifier: string): Promise<object> => import(specifier)
  const drivers = await driversWithModules([memoryDriver], { modules, directory: folder, importModule })
  return drivers.map(({ formatName }) => formatName)
}

test('without modules there are the built-in ones', async () => {
  expect(await names()).toEqual(['memory'])
})

test('files, relative to the folder or not, and packages', async () => {
  expect(await names('./local.mjs', join(folder, 'node_modules/some-driver/index.js'))).toEqual([
    'memory',
    'aaa',
    'some',
  ])
})

test('a package is looked for from the folder first, and from the program then', async () => {
  const asked: string[] = []
  const importModule = async (specifier: string): Promise<object> => {
    asked.push(specifier)
    return { other: { formatName: 'other', kind: 'filter', open: () => {} } }
  }
  const drivers = await driversWithModules([], { modules: ['not-installed-here'], directory: folder, importModule })
  expect([asked, drivers.length]).toEqual([['not-installed-here'], 1])
})

test.each([
  ['./missing.mjs', /^Could not load driver '.\/missing.mjs': /],
  ['./broken.mjs', /^Could not load driver '.\/broken.mjs': went wrong$/],
  ['./nothing.mjs', /^Module '.\/nothing.mjs' exports no block driver$/],
  ['./again.mjs', /^Module '.\/again.mjs' defines driver 'memory' again$/],
])('%s is refused', async (module, message) => {
  await expect(names(module)).rejects.toThrow(message)
})
