// Proves that no message of the specification is forgotten: each stands in a source and in a test that produces it, or in
// the list of those that docs/differences.md says are never given, with the reason.
import { describe, expect, test } from 'vitest'
import { absent, compared } from './error-catalogue/absent.ts'
import { catalogue } from './error-catalogue/messages.ts'
import { isIn, isMadeIn, matcher } from './error-catalogue/search.ts'
import { projectFiles } from './tidy/files.ts'

const files = projectFiles()
const sources = files.filter(({ path }) => /^(packages|apps)\/[^/]+\/src\/.*\.ts$/.test(path))
const proofs = files.filter(({ path }) => /(^|\/)tests?\//.test(path) && !/^test\/(tidy|error-catalogue)/.test(path))
const messages = Object.entries(catalogue).flatMap(([section, texts]) => texts.map((text) => [section, text] as const))

describe('the error catalogue', () => {
  test('its files are read', () => {
    expect([sources.length > 200, proofs.length > 200, messages.length > 150]).toEqual([true, true, true])
    expect(Object.keys(absent).length).toBeGreaterThan(0)
  })

  test.each(messages)('%s: %s', (_, text) => {
    const [file, line] = compared[text] ?? []
    const proof =
      line === undefined
        ? isIn(proofs, text)
        : proofs.some(({ path, text: all }) => path === file && all.includes(line))
    const found = { source: isMadeIn(sources, text), test: proof }
    // What has come to be there is struck off the list of what is not.
    expect(found).toEqual(text in absent ? { source: false, test: found.test } : { source: true, test: true })
  })

  test('what is absent is a message of the catalogue, and has a reason', () => {
    const known = new Set(messages.map(([, text]) => text))
    expect(Object.keys(absent).filter((text) => !known.has(text))).toEqual([])
    expect(Object.values(absent).filter((reason) => reason.length < 10)).toEqual([])
  })
})

describe('the search', () => {
  const file = (text: string) => [{ path: 'a.ts', text }]

  test('placeholders match what a template puts in, and what a test expects', () => {
    expect(isIn(file(`text = "Node '$\{name}' is busy: $\{reason}"`), "Node '%s' is busy: %s")).toBe(true)
    expect(isIn(file(`expect(text).toBe("Node 'x' is busy: y")`), "Node '%s' is busy: %s")).toBe(true)
    expect(isIn(file(String.raw`'Node \'x\' is busy: y'`), "Node '%s' is busy: %s")).toBe(true)
    expect(isIn(file("`Node 'x' is idle: y`"), "Node '%s' is busy: %s")).toBe(false)
  })

  test('a message may be put together where it says so, in one file', () => {
    const parts = [`const a = "Offset ($\{offset}) cannot be "`, `const b = "greater than ($\{size})"`]
    const message = 'Offset (%d) cannot be |greater than (%d)'
    expect([isMadeIn(file(parts.join('\n')), message), isIn(file(parts.join('\n')), message)]).toEqual([true, false])
    expect(isMadeIn(parts.flatMap(file), message)).toBe(false)
  })

  test('a text without placeholders is itself', () => {
    expect(matcher('a.b (c)').test('xa.b (c)x')).toBe(true)
    expect(matcher('a.b (c)').test('xaxb (c)x')).toBe(false)
  })
})
