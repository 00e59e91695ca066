// Of a progress line only what a terminal shows at its end is left.
import { expect, test } from 'vitest'
import { filterProgress } from '../../src/filters/progress.ts'

test('the last state of a line stays', () => {
  expect(filterProgress('    (0.00/100%)\r    (50.00/100%)\r    (100.00/100%)\r\nImage committed.\n')).toBe(
    '    (100.00/100%)\nImage committed.\n',
  )
})
