// A state is looked at as it is and as a writable open leaves it, and a dirty image is judged after its repair only.
import { expect, test } from 'vitest'
import { imageProblems, type Inspection } from '../../../src/testing/crash/verdict.ts'

const clean = { corruptions: 0, harmless: 0, leaks: 0, checkErrors: 0, lines: [] }
const corrupt = { corruptions: 2, harmless: 0, leaks: 1, checkErrors: 0, lines: ['ERROR cluster 1'] }
const view = { content: new Uint8Array(0), facts: {} }

const seen = (part: Partial<Inspection>): Inspection => ({
  readOnly: view,
  writable: view,
  dirty: [false],
  before: [clean],
  after: [clean],
  repairLines: [],
  ...part,
})

test('leaks are no problem, corruption is', () => {
  expect(imageProblems(seen({ before: [{ ...clean, leaks: 9 }] }))).toEqual([])
  expect(imageProblems(seen({ before: [corrupt] }))).toEqual([
    'image 0 before a writable open: 2 corruptions, 0 check errors: ERROR cluster 1',
  ])
  expect(imageProblems(seen({ after: [{ ...clean, checkErrors: 1 }] }))).toEqual([
    'image 0 after a writable open: 0 corruptions, 1 check errors',
  ])
})

test('a dirty image may be anything before its repair', () => {
  expect(imageProblems(seen({ dirty: [true], before: [corrupt] }))).toEqual([])
  expect(imageProblems(seen({ dirty: [true], before: [corrupt], after: [corrupt] }))).toHaveLength(1)
})
