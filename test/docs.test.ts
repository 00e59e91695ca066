// Proves that the documentation holds: its examples compile and run, the commands it names exist, and so do the tests.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mustSucceed, ours, runTool } from '../scripts/lib/workspace.ts'
import { examplesIn, runExample, typeErrors } from './docs/examples.ts'
import { projectFiles, root } from './tidy/files.ts'

const documents = projectFiles().filter(({ path }) => path.endsWith('.md') && !path.startsWith('.changeset/'))
const examples = examplesIn(documents)

test('there are documents with examples', () => {
  expect(documents.map(({ path }) => path)).toContain('docs/architecture.md')
  expect(examples.map(({ place }) => place.split(':')[0])).toContain('README.md')
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

  // Those beside an example driver read formats that we cannot make; their own tests run them.
  const runnable = examples.filter(({ place }) => !place.startsWith('examples/'))
  test.each(runnable.map((example) => [example.place, example] as const))('%s', (_, example) => {
    const { code, output } = runExample(example, folder)
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' })
  })
})

test('every command that the documentation names is a script', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const named = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:`|^|-y )pnpm(?:@12\.21\.0)?(?: -C \S+| -w)? ([a-z][a-z-]+)/gm)].map(
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
