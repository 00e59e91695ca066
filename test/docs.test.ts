// Proves that the documentation holds: its examples compile and run, the commands it names exist, and so do the tests.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mustSucceed, ours, runTool } from '../scripts/lib/workspace.ts'
import { docstringExamples, examplesIn, runExample, typeErrors } from './docs/examples.ts'
import { projectFiles, root } from './tidy/files.ts'

const files = projectFiles()
const documents = files.filter(({ path }) => path.endsWith('.md') && !path.startsWith('.changeset/'))
const sources = files.filter(({ path }) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path))
const examples = [...examplesIn(documents), ...docstringExamples(sources)]

test('there are documents with examples', () => {
  expect(documents.map(({ path }) => path)).toContain('docs/architecture.md')
  const places = examples.map(({ place }) => place.split(':')[0])
  expect(places).toContain('README.md')
  expect(places).toContain('packages/block-core/src/backend/block-backend.ts')
})

test('every example compiles', () => expect(typeErrors(examples)).toEqual([]))

describe('examples run', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'blocklayer-docs-'))
    const make = (...args: string[]) => mustSucceed(args.join(' '), runTool(ours, folder, 'create', '-q', ...args))
    // The names that the documentation uses.
    for (const name of ['base.qcow2', 'disk.qcow2']) make('-f', 'qcow2', name, '64M')
    for (const name of ['disk.img', 'disk.raw']) make('-f', 'raw', name, '1G')
    make('-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', 'overlay.qcow2')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const runnable = examples.filter(({ notRun }) => notRun === undefined)
  test.each(runnable.map((example) => [example.place, example] as const))('%s', (_, example) => {
    const { code, output } = runExample(example, folder)
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' })
  })
})

// Each says why in its first line. The list is here so that it grows only on purpose.
test('examples that cannot be run', () => {
  const known = ['examples/driver-vdi-readonly/README.md', 'packages/driver-blklogwrites/src/read-log.ts']
  const places = examples.flatMap(({ place, notRun }) => (notRun === undefined ? [] : [place.split(':')[0]!]))
  expect(places).toContain(known[0])
  expect(places.filter((place) => !known.includes(place))).toEqual([])
})

test('every command that the documentation names is a script', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const named = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:`|^|-y )pnpm(?:@12\.21\.0)?(?: -C \S+| -w)? ([a-z][a-z:-]+)/gm)].map(
      (match) => `${match[1]} (${path})`,
    ),
  )
  const own = new Set([...Object.keys(scripts), 'install', 'changeset', 'pack', 'exec'])
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((name) => !own.has(name.split(' ')[0]!))).toEqual([])
})

test('every test that docs/differences.md names exists', () => {
  const text = readFileSync(join(root, 'docs/differences.md'), 'utf8')
  const tests = [...text.matchAll(/`([^`]+\.test\.ts)`/g)].map((match) => match[1]!)
  expect(tests.length).toBeGreaterThan(5)
  expect([...new Set(tests)].filter((path) => !existsSync(join(root, path)))).toEqual([])
})
