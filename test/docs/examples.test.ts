// Proves that examples are found in documents and docstrings, with what they take for granted, and told apart by whether
// they can be run.
import { expect, test } from 'vitest'
import { docstringExamples, examplesIn } from './examples.ts'

const source = (path: string, text: string) => ({ path, text })

test('blocks of documents, with their places; those that name a file are no examples', () => {
  const text =
    '# x\n\n```ts\nconst a = 1\n```\n```ts src/a.ts\nno\n```\n````md README.md\n```ts\nno\n```\n````\n```ts\n// Not run: it needs a disk.\nlet b\n```\n'
  expect(examplesIn([source('docs/x.md', text)]).map(({ place, code, notRun }) => ({ place, code, notRun }))).toEqual([
    { place: 'docs/x.md:4', code: 'const a = 1\n', notRun: undefined },
    { place: 'docs/x.md:15', code: '// Not run: it needs a disk.\nlet b\n', notRun: 'it needs a disk.' },
  ])
})

test('examples of docstrings end with the docstring or the next tag', () => {
  const text =
    '/**\n * Does.\n *\n * @example\n * f(1)\n * f(2)\n *\n * @see g\n */\nexport {}\n/**\n   * @example\n   * h()\n   */\n'
  expect(docstringExamples([source('packages/a/src/x.ts', text)]).map(({ code }) => code)).toEqual([
    'f(1)\nf(2)\n',
    'h()\n',
  ])
})

test('a graph and a disk are there without a word, and so are the names of the packages', () => {
  const [example] = docstringExamples([source('packages/a/src/x.ts', '/**\n * @example\n * await disk.flush()\n */\n')])
  const lines = example!.code.trim().split('\n')
  expect(lines.filter((line) => line.startsWith('import'))).toHaveLength(4)
  expect(lines.slice(-3).map((line) => line.split(' = ')[0])).toEqual([
    'await using graph',
    'await using disk',
    'await disk.flush()',
  ])
})

test('names of the source that an example stands in are there too', () => {
  const text = '/**\n * @example\n * await flushTwice()\n */\nexport async function flushTwice() {}\n'
  const [example] = docstringExamples([source('packages/a/src/x.ts', text)])
  expect(example!.code).toMatch(/^import { flushTwice } from '.*\/packages\/a\/src\/x.ts'\n/)
})

test('what imports anything brings all that it uses', () => {
  const text = "/**\n * @example\n * import { disk } from 'x'\n * await disk.flush()\n */\n"
  expect(docstringExamples([source('packages/a/src/x.ts', text)])[0]?.code).toBe(
    "import { disk } from 'x'\nawait disk.flush()\n",
  )
})
