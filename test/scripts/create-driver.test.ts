// Proves that `pnpm create-driver NAME` writes a driver that type-checks and passes its tests as it stands, the same
// settings as the documented example has, and nothing at all where the name or the folder is no good.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { driverFiles } from '../../scripts/create-driver/create.ts'
import { root } from '../tidy/files.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-create-driver-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function create(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const script = join(root, 'scripts/create-driver.ts')
  const env = { ...process.env, INIT_CWD: folder }
  const options = { cwd: root, env, encoding: 'utf8' } as const
  const run = spawnSync(process.execPath, ['--conditions=@blocklayer/source', script, ...args], options)
  return { code: run.status, stdout: run.stdout, stderr: run.stderr }
}

function runIn(cwd: string, tool: string, ...args: string[]): { code: number | null; output: string } {
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { ...process.env, PATH: path, NO_COLOR: '1' }
  const run = spawnSync(tool, args, { cwd, env, encoding: 'utf8' })
  return { code: run.status, output: run.stdout + run.stderr }
}

test('a new driver type-checks and passes the contract suite as it stands', () => {
  expect(create('two-words')).toMatchObject({ code: 0, stderr: '' })
  const target = join(folder, 'driver-two-words')
  expect(readdirSync(target).sort()).toEqual(
    [
      'LICENSE',
      'README.md',
      'package.json',
      'src',
      'test',
      'tsconfig.json',
      'tsup.config.ts',
      'vitest.config.ts',
    ].sort(),
  )
  // What an installation would bring.
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'))
  expect(runIn(target, 'tsc', '-p', 'tsconfig.json')).toEqual({ code: 0, output: '' })
  const { code, output } = runIn(target, 'vitest', 'run')
  expect({ code, output }).toMatchObject({ code: 0 })
  expect(Number(/Tests +(\d+) passed/.exec(output)?.[1])).toBeGreaterThan(40)
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
  expect(dependencies['@blocklayer/block-core']).toMatch(/^\^\d+\.\d+\.\d+/)
  expect(Object.keys(devDependencies)).toEqual(['@blocklayer/driver-file', 'tsup', 'typescript', 'vitest'])
})

describe('refused, and nothing is written', () => {
  test.each([
    [[], 'give one name: pnpm create-driver NAME'],
    [['a', 'b'], 'give one name: pnpm create-driver NAME'],
    [['../x'], "'../x' is no name for a format: lower case letters, digits and single dashes, a letter first"],
    [['Slab'], "'Slab' is no name for a format: lower case letters, digits and single dashes, a letter first"],
    [['a--b'], "'a--b' is no name for a format: lower case letters, digits and single dashes, a letter first"],
    [
      ['x'.repeat(41)],
      `'${'x'.repeat(41)}' is no name for a format: lower case letters, digits and single dashes, a letter first`,
    ],
    [['driver-x'], "give the format's name alone: x"],
    [['qcow2'], "there is a driver named 'qcow2' already"],
  ])('%j', (args, message) => {
    const before = readdirSync(folder)
    expect(create(...args)).toEqual({ code: 1, stdout: '', stderr: `create-driver: ${message}\n` })
    expect(readdirSync(folder)).toEqual(before)
  })

  test('a folder that exists', () => {
    const target = join(folder, 'driver-there')
    mkdirSync(target)
    expect(create('there').stderr).toBe(`create-driver: ${target} exists\n`)
    expect(readdirSync(target)).toEqual([])
  })
})

test('the documented example has the settings that are written for it', () => {
  const files = driverFiles({ format: 'slab', inWorkspace: true, version: '0.0.0' })
  for (const name of ['package.json', 'tsconfig.json', 'tsup.config.ts', 'vitest.config.ts', 'LICENSE']) {
    expect(files.get(name)).toBe(readFileSync(join(root, 'examples/driver-slab', name), 'utf8'))
  }
  expect(existsSync(join(root, 'examples/driver-slab/src/driver.ts'))).toBe(true)
})
