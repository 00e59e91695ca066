// Proves that the API reference is made of every door of every package, that nothing public is without a docstring and no
// link leads nowhere, and that both would be found.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { doors } from '../../scripts/docs-api/doors.ts'
import { writeReference } from '../../scripts/docs-api/reference.ts'
import { root } from '../tidy/files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-docs-api-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('every package has its doors in it', () => {
  const names = doors().map(({ name }) => name)
  expect(names).toContain('@blocklayer/block-core/driver')
  expect(names).toContain('@blocklayer/block-core/testing')
  for (const entry of readdirSync(join(root, 'packages'))) {
    // Parts of our own programs are nobody's interface.
    const { private: isPrivate } = JSON.parse(readFileSync(join(root, 'packages', entry, 'package.json'), 'utf8'))
    if (isPrivate === true) continue
    if (existsSync(join(root, 'packages', entry, 'src/index.ts'))) expect(names).toContain(`@blocklayer/${entry}`)
  }
})

test('the reference of all packages is complete', async () => {
  expect(await writeReference(doors(), join(folder, 'site'))).toEqual([])
  for (const { name } of doors()) expect(existsSync(join(folder, 'site', name, 'README.md'))).toBe(true)
  const page = readFileSync(join(folder, 'site/@blocklayer/block-core/functions/createBlockGraph.md'), 'utf8')
  expect(page).toContain('Makes a graph')
})

test('what lacks a docstring and a link to nowhere are found', async () => {
  writeFileSync(
    join(folder, 'bad.ts'),
    '/** Says something. */\nexport const good = 1\nexport const bare = 2\n/** See {@link nowhere}. */\nexport function lost(): void {}\n',
  )
  writeFileSync(join(folder, 'tsconfig.json'), '{ "include": ["bad.ts"] }')
  const door = { name: 'bad', source: relative(root, join(folder, 'bad.ts')) }
  const problems = await writeReference([door], join(folder, 'site'), join(folder, 'tsconfig.json'))
  expect(problems.filter((problem) => problem.includes('bare'))).toHaveLength(1)
  expect(problems.filter((problem) => problem.includes('nowhere'))).toHaveLength(1)
  expect(problems.filter((problem) => problem.includes('good'))).toEqual([])
})
