// A bundle of a program runs no part before it is asked for, is plain ASCII whatever its sources say, and names its build.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundleProgram, programBuild } from '../../src/build/bundle-program.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-bundle-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

async function bundled(): Promise<string> {
  await bundleProgram({ entry: join(folder, 'program.ts'), folder: join(folder, 'dist'), external: ['outside'] })
  return readFileSync(join(folder, 'dist/program.js'), 'latin1')
}

interface Program {
  main(): Promise<readonly string[]>
}

function load(): Program {
  return createRequire(import.meta.url)(join(folder, 'dist/program.js')) as Program
}

/** A program in three modules, of a library whose index names more than the program uses at first. */
function writeProgram(): void {
  write('node_modules/library/package.json', '{"name":"library","type":"module","sideEffects":false,"main":"index.js"}')
  write('node_modules/library/index.js', 'export { small } from "./small.js"; export { Large } from "./large.js"')
  write('node_modules/library/small.js', 'export const small = (list) => list.push("small \u2014 \u{1f4be}")')
  write(
    'node_modules/library/large.js',
    'export class Large { static made = globalThis.blocklayerRuns?.push("large") }',
  )
  write('later.ts', 'import { Large } from "library"; export const later = (list: string[]) => list.push(Large.name)')
  write(
    'program.ts',
    `import { small } from "library"
     export async function main(): Promise<string[]> {
       const list: string[] = (globalThis as any).blocklayerRuns = []
       small(list)
       if (list.length === 1) (await import("./later.ts")).later(list)
       return list
     }
     export const outside = () => import("outside")`,
  )
}

test('a part is run when it is first asked for', async () => {
  writeProgram()
  expect(/^[\0-\x7f]*$/.test(await bundled())).toBe(true)
  expect(await load().main()).toEqual(['small \u2014 \u{1f4be}', 'large', 'Large'])
})

test('the build has the same name as long as the program is the same', async () => {
  const buildId = (): unknown => JSON.parse(readFileSync(join(folder, 'dist/package.json'), 'utf8'))
  writeProgram()
  const first = await bundled()
  const named = buildId()
  expect(named).toEqual({ type: 'commonjs', buildId: expect.stringMatching(/^[0-9a-f]{16}$/) })
  expect(await bundled()).toBe(first)
  expect(buildId()).toEqual(named)
  write('later.ts', 'export const later = (list: string[]) => list.push("otherwise")')
  await bundled()
  expect(buildId()).not.toEqual(named)
})

test('what is not found fails the build', async () => {
  write('program.ts', 'import { gone } from "./gone.ts"; export const main = () => gone')
  await expect(bundled()).rejects.toThrow('./gone.ts')
})

test('a program is started by a file of its name', () => {
  expect(programBuild('tool', 'there')).toMatchObject({
    entry: { tool: 'src/main.ts' },
    outDir: 'there',
    format: 'cjs',
  })
})
