// The diff is the one GNU diff makes, byte for byte; where texts are equal there is none.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unifiedDiff } from '../../src/runner/compare.ts'
import { temporaryFolder } from '../support/folder.ts'

const folder = temporaryFolder()
const names = { expected: 'a', found: 'b' }
const numbers = Array.from({ length: 30 }, (_, i) => `line ${i}`)
const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('')

test('equal texts have no difference', () => {
  expect(unifiedDiff('a\nb\n', 'a\nb\n', names)).toBeUndefined()
})

test.each([
  ['a change', lines(numbers), lines(numbers.with(15, 'x'))],
  ['an insertion at the start', lines(numbers), lines(['x', ...numbers])],
  ['a deletion at the end', lines(numbers), lines(numbers.slice(0, -2))],
  ['changes near each other share a hunk', lines(numbers), lines(numbers.with(10, 'x').with(16, 'y'))],
  ['changes just near enough', lines(numbers), lines(numbers.with(10, 'x').with(17, 'y'))],
  ['changes apart have a hunk each', lines(numbers), lines(numbers.with(5, 'x').with(20, 'y'))],
  ['nothing was expected', '', 'a\nb\n'],
  ['nothing was found', 'a\n', ''],
])('as GNU diff: %s', (_, expected, found) => {
  writeFileSync(join(folder, 'a'), expected)
  writeFileSync(join(folder, 'b'), found)
  const gnu = spawnSync('diff', ['-u', '--label', 'a', '--label', 'b', 'a', 'b'], { cwd: folder, encoding: 'utf8' })
  expect(unifiedDiff(expected, found, names)).toBe(gnu.stdout)
})

test('a missing line end is told', () => {
  expect(unifiedDiff('a\n', 'a', names)).toBe('--- a\n+++ b\n@@ -1 +1,2 @@\n a\n+\\ No newline at end of file\n')
})
