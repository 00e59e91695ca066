// Proves that each refusal in the specification has its test: the exact message on standard error, nothing on standard
// output, the exit status, and nothing created, truncated or left behind. Most are shown by a line of one of the tables,
// where both tools run it; here it is made sure that the line stands there and gives the message. The rest is run here.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, oursHere, shell } from '../support/tools.ts'
import { compareRuns, makeTwins, removeTwins, resetTwins, type Twins } from '../support/twins.ts'
import { images } from './images.ts'
import { arranged } from './refusals/arranged.ts'
import { absent, elsewhere, leaving } from './refusals/exceptions.ts'
import { type Example, shown } from './refusals/shown.ts'
import { words } from './run-table.ts'

const here = import.meta.dirname
const tables = readdirSync(here)
  .filter((name) => name.endsWith('.test.ts') && name !== 'refusals.test.ts')
  .map((name) => readFileSync(join(here, name), 'utf8'))

/** Matches a whole line of standard error. */
function lineOf(message: string): RegExp {
  const escaped = message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^qemu-img: ${escaped.replace(/<[a-z]>/g, '.*?')}\\.?$`, 'm')
}

/** What is in the folder, and when it was last touched. */
function state(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const { size, mtimeNs } = statSync(join(parentPath, name), { bigint: true })
      return [join(parentPath, name).slice(folder.length), `${size} ${mtimeNs}`]
    }),
  )
}

const parts = (example: Example): readonly [string, string | undefined] =>
  typeof example === 'string' ? [example, undefined] : example

const all = Object.entries(shown).flatMap(([section, rows]) =>
  Object.entries(rows).map(([message, example]) => [section, message, example] as const),
)

describe.skipIf(!hasReference)(needsReference('each refusal'), () => {
  let twins: Twins
  beforeAll(() => {
    twins = makeTwins('refusals', images)
  })
  afterAll(() => removeTwins(twins))

  test.each(all)('%s: %s', async (_, message, example) => {
    const [line, prepare] = parts(example)
    const quoted = [`'${line}'`, `"${line}"`, `'${line.replaceAll("'", "\\'")}'`, `\`${line}\``]
    expect(tables.some((text) => quoted.some((literal) => text.includes(literal)))).toBe(true)
    resetTwins(twins)
    if (prepare !== undefined) shell(prepare, { cwd: twins.ours })
    const before = state(twins.ours)
    const { stdout, stderr, status } = await oursHere(words(line), { cwd: twins.ours })
    expect(stderr).toMatch(lineOf(message))
    if (message in leaving) return
    expect(status).toBeGreaterThan(0)
    expect([state(twins.ours), stdout.replace(/^Formatting .*\n/, '')]).toEqual([before, ''])
  })

  test.each(Object.entries(arranged))('%s', async (message, example) => {
    const [line, prepare] = parts(example)
    const mask = (text: string): string => text.replace(/#block\d+/g, '#block')
    const { ours, reference } = await compareRuns(twins, words(line), { prepare, mask, anyLayout: true })
    expect(ours).toBe(reference)
    expect(ours).toMatch(lineOf(message))
  })
})

test('what cannot be shown by one command line is shown elsewhere', () => {
  for (const [message, { file, text }] of Object.entries(elsewhere)) {
    expect([message, readFileSync(join(here, file), 'utf8').includes(text)]).toEqual([message, true])
  }
})

test('what is absent has a reason, and is not shown', () => {
  const known = new Set([...all.map(([, message]) => message), ...Object.keys(arranged), ...Object.keys(elsewhere)])
  expect(Object.keys(absent).filter((message) => known.has(message))).toEqual([])
  expect(known.size).toBeGreaterThanOrEqual(200)
})

test('what leaves something behind, or is no failure, is a message of the specification with a reason', () => {
  const known = new Set(all.map(([, message]) => message))
  expect(Object.keys(leaving).filter((message) => !known.has(message))).toEqual([])
  expect(Object.values(leaving).filter((reason) => reason.length < 10)).toEqual([])
})
