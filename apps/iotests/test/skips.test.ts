// Every skip has a reason and applies to something; what is not in the list runs.
import { expect, test } from 'vitest'
import { skipReason, skips } from '../src/skips.ts'

test.each([
  ['097', 'qcow2', 'ours', undefined],
  ['097', 'qcow', 'reference', undefined],
  ['097', 'qcow', 'ours', 'our tools do not speak qcow yet'],
  ['097', 'raw', 'reference', 'needs a format with backing files that can be emptied: qcow or qcow2'],
  ['098', 'qcow2', 'ours', undefined],
  ['098', 'qcow', 'reference', 'is about the way qcow2 is emptied; other formats have none of its steps'],
])('%s, %s, %s', (number, format, tools, reason) => {
  expect(skipReason(number, { format, tools })).toBe(reason)
})

test('the default format skips nothing', () => {
  expect(skips.filter((skip) => skip.applies({ format: 'qcow2', tools: 'ours' }))).toEqual([])
})
