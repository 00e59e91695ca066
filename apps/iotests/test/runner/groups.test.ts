// Groups select, several of them narrow down, and every group that a test names is in the list.
import { expect, test } from 'vitest'
import { discoverTests, SelectionError } from '../../src/runner/discover.ts'
import { groups, selectGroups } from '../../src/runner/groups.ts'

const tests = await discoverTests()
const select = (...wanted: string[]): string[] => selectGroups(tests, wanted).map(({ number }) => number)

test('groups select', () => {
  expect(select()).toEqual(['097', '098'])
  expect(select('commit')).toEqual(['097', '098'])
  expect(select('auto', 'blkdebug')).toEqual(['098'])
  expect(select('backing', 'blkdebug')).toEqual([])
})

test('an unknown group is refused', () => {
  const text = "No group 'slow'; there are: auto, quick, backing, commit, blkdebug"
  expect(() => select('slow')).toThrow(new SelectionError(text))
})

test('tests name only groups of the list', () => {
  for (const { test: script } of tests) for (const group of script.groups) expect(Object.keys(groups)).toContain(group)
})
