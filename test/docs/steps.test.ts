// Proves that docs/writing-a-driver.md makes examples/driver-slab, byte for byte, and that what it has made compiles after
// each of its steps.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../tidy/files.ts'
import { typeErrors } from './examples.ts'
import { fileBlocks, filesAfter } from './steps.ts'

const blocks = fileBlocks(readFileSync(join(root, 'docs/writing-a-driver.md'), 'utf8'))
const example = 'examples/driver-slab'
const steps = [...new Set(blocks.map(({ step }) => step))]
/** Everybody's, and no part of writing a driver. */
const notShown = new Set(['LICENSE', 'node_modules', 'dist', '.turbo'])

/** Every file of the example, by its path in it. */
function exampleFiles(folder = ''): string[] {
  return readdirSync(join(root, example, folder)).flatMap((name) => {
    const path = folder === '' ? name : `${folder}/${name}`
    if (notShown.has(path)) return []
    return statSync(join(root, example, path)).isDirectory() ? exampleFiles(path) : [path]
  })
}

test('the document has steps that show files', () => {
  expect(steps.length).toBeGreaterThan(6)
  expect(blocks.map(({ path }) => path)).toContain('src/driver.ts')
})

describe('the document makes the example', () => {
  const made = filesAfter(blocks, Number.POSITIVE_INFINITY)
  test('the same files', () => expect([...made.keys()].sort()).toEqual(exampleFiles().sort()))
  test.each([...made])('%s', (path, text) => {
    expect(text).toBe(readFileSync(join(root, example, path), 'utf8'))
  })
})

describe('it compiles after', () => {
  test.each(steps)('step %i', (step) => {
    const files = [...filesAfter(blocks, step)].filter(([path]) => path.endsWith('.ts') && !path.endsWith('.config.ts'))
    const sources = files.map(([path, code]) => ({
      place: path,
      file: join(root, `examples/step-${step}`, path),
      code,
    }))
    expect(typeErrors(sources)).toEqual([])
  })
})

describe('files are found in documents', () => {
  const document =
    '```ts a.ts\n1\n```\n## Step 1: x\n```ts\nno file\n```\n````md b.md\n```ts\n2\n```\n````\n## Step 2: y\n```ts a.ts\n3\n```\n'
  test('with their steps, longer fences around shorter ones', () => {
    expect(fileBlocks(document)).toEqual([
      { step: 0, path: 'a.ts', text: '1\n' },
      { step: 1, path: 'b.md', text: '```ts\n2\n```\n' },
      { step: 2, path: 'a.ts', text: '3\n' },
    ])
  })
  test('later ones replace earlier ones', () => {
    expect(filesAfter(fileBlocks(document), 1).get('a.ts')).toBe('1\n')
    expect(filesAfter(fileBlocks(document), 2).get('a.ts')).toBe('3\n')
  })
})
