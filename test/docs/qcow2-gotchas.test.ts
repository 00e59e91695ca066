// Proves that docs/qcow2-gotchas.md has a line for every surprise of the format, once, with a decision, and with tests that
// exist under the titles it gives; and that it is found from where one would look.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../tidy/files.ts'

const path = 'docs/qcow2-gotchas.md'
const read = (name: string): string => readFileSync(join(root, name), 'utf8')

interface Line {
  readonly number: string
  readonly matter: string
  readonly decision: string
  /** The last column. */
  readonly tests: string
}

function linesOf(text: string): Line[] {
  return [...text.matchAll(/^\| (\d[\d.a-z]*) \| (.*) \| (.*) \| (.*) \|$/gm)].map(
    ([, number, matter, decision, tests]) => ({
      number: number!,
      matter: matter!,
      decision: decision!,
      tests: tests!,
    }),
  )
}

/** What the short names in the last column stand for. */
function fileOf(name: string): string {
  if (name === 'io') return 'apps/qemu-io-cli/test/contract/qcow2-gotchas.test.ts'
  if (name === 'img') return 'apps/qemu-img-cli/test/contract/qcow2-gotchas.test.ts'
  return /^(apps|test)\//.test(name) ? name : `packages/driver-qcow2/test/${name}`
}

/** File and title of each proof. */
function proofsOf({ tests }: Line): { readonly file: string; readonly titles: readonly string[] }[] {
  return tests.split('; `').map((part) => {
    const [, name = '', rest = ''] = /^`?([^`]+)` (.*)$/.exec(part) ?? []
    return { file: fileOf(name), titles: [...rest.matchAll(/"([^"]+)"/g)].map((match) => match[1]!) }
  })
}

const lines = linesOf(read(path))

test('every surprise once, in their order', () => {
  const holes = ['4.1', '4.2a', '4.2b', '4.3a', '4.3b', '4.3c', '4.3d', '4.4a', '4.4b', '4.4c']
  const numbers = [...Array.from({ length: 66 }, (_, index) => String(index + 1)), ...holes]
  expect(lines.map(({ number }) => number)).toEqual(numbers)
})

test.each(lines)('$number: $matter', (line) => {
  expect(line.decision).toMatch(/^(same|better|cannot arise)\b/)
  const proofs = proofsOf(line)
  expect(proofs.length).toBeGreaterThan(0)
  for (const { file, titles } of proofs) {
    expect(existsSync(join(root, file)), file).toBe(true)
    expect(titles, file).not.toEqual([])
    const text = read(file)
    for (const title of titles)
      expect({ file, title, found: hasTitle(text, title) }).toEqual({ file, title, found: true })
  }
})

/** Whether a string of the file is or begins with the title, or ends with it as an error message does behind its code. */
function hasTitle(text: string, title: string): boolean {
  const plain = text.replaceAll("\\'", "'")
  return ["'", '`', '"', 'ENOTSUP '].some((before) => plain.includes(before + title))
}

describe('the ledger is found', () => {
  test.each(['docs/differences.md', 'packages/driver-qcow2/README.md'])('from %s', (name) => {
    expect(read(name)).toContain('qcow2-gotchas.md')
  })
})

test('a line with a test that is missing is noticed', () => {
  const [line] = linesOf('| 1 | what | same | `nowhere.test.ts` "no such title"; `io` "one", "two" |')
  expect(proofsOf(line!)).toEqual([
    { file: 'packages/driver-qcow2/test/nowhere.test.ts', titles: ['no such title'] },
    { file: fileOf('io'), titles: ['one', 'two'] },
  ])
  expect(hasTitle("test('another title', () => {})", 'no such title')).toBe(false)
})
