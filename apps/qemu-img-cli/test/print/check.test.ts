// Proves the layout of check reports against text recorded from the reference.

import type { CheckResult } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { checkMembers, humanCheck, repairText } from '../../src/print/check.ts'

const clean: CheckResult = {
  corruptions: 0,
  leaks: 0,
  checkErrors: 0,
  corruptionsFixed: 0,
  leaksFixed: 0,
  imageEndOffset: 589824,
  clusters: { total: 16, allocated: 4, fragmented: 0, compressed: 0 },
}

test('a clean image', () => {
  expect(humanCheck(clean)).toBe(
    'No errors were found on the image.\n' +
      '4/16 = 25.00% allocated, 0.00% fragmented, 0.00% compressed clusters\n' +
      'Image end offset: 589824\n',
  )
})

test('every kind of problem, and nothing to say about clusters', () => {
  const clusters = { total: 16, allocated: 0, fragmented: 0, compressed: 0 }
  const report = { ...clean, corruptions: 2, leaks: 3, checkErrors: 1, imageEndOffset: 0, clusters }
  expect(humanCheck(report)).toBe(
    '\n2 errors were found on the image.\n' +
      'Data may be corrupted, or further writes to the image may corrupt it.\n' +
      '\n3 leaked clusters were found on the image.\n' +
      'This means waste of disk space, but no harm to data.\n' +
      '\n1 internal errors have occurred during the check.\n',
  )
})

test('repairs', () => {
  expect(repairText({ ...clean, leaksFixed: 3, corruptionsFixed: 4 })).toBe(
    'The following inconsistencies were found and repaired:\n\n    3 leaked clusters\n    4 corruptions\n\n' +
      'Double checking the fixed image now...\n',
  )
})

test('members that are 0 are left out, except check-errors', () => {
  expect(checkMembers({ ...clean, leaks: 2 }, { filename: 'l', format: 'qcow2' })).toEqual({
    'image-end-offset': 589824,
    'total-clusters': 16,
    'check-errors': 0,
    leaks: 2,
    'allocated-clusters': 4,
    filename: 'l',
    format: 'qcow2',
  })
})
