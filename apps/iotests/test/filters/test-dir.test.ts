// The scratch folder's path leaves every line that contains it, however often.
import { expect, test } from 'vitest'
import { testDirFilter } from '../../src/filters/test-dir.ts'

test('the folder becomes TEST_DIR everywhere', () => {
  const filter = testDirFilter('/tmp/it-097-x')
  expect(filter('blkdebug:/tmp/it-097-x/a.conf:/tmp/it-097-x/t.qcow2\n')).toBe(
    'blkdebug:TEST_DIR/a.conf:TEST_DIR/t.qcow2\n',
  )
})

test('other paths stay', () => {
  expect(testDirFilter('/tmp/a')('/tmp/b/t.qcow2')).toBe('/tmp/b/t.qcow2')
})
