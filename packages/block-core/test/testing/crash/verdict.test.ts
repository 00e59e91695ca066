// A state is looked at as it is and as a writable open leaves it, and a dirty image is judged after its repair only.
import { expect, test } from 'vitest'
import { GuestModel } from '../../../src/testing/crash/guest-model.ts'
import { imageProblems, type Inspection, stateProblems } from '../../../src/testing/crash/verdict.ts'

const clean = { corruptions: 0, harmless: 0, leaks: 0, checkErrors: 0, lines: [] }
const corrupt = { corruptions: 2, harmless: 0, leaks: 1, checkErrors: 0, lines: ['ERROR cluster 1'] }
const view = { content: new Uint8Array(0), facts: {} }

const seen = (part: Partial<Inspection>): Inspection => ({
  readOnly: view,
  writable: view,
  plain: [],
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

test('what is seen is judged as it is, after a writable open, and on disks that show it themselves', () => {
  const model = new GuestModel({ content: new Uint8Array(512), facts: {} }, [])
  const other = { content: new Uint8Array(512).fill(1), facts: {} }
  const wrong = 'guest sector 0 begins with 0101010101010101, expected 0000000000000000'
  const right = { content: new Uint8Array(512), facts: {} }
  expect(stateProblems(seen({ readOnly: right, writable: right }), model, 0)).toEqual([])
  expect(stateProblems(seen({ readOnly: right, writable: other }), model, 0)).toEqual([
    `after a writable open: ${wrong}`,
  ])
  expect(stateProblems(seen({ readOnly: other, writable: other }), model, 0)).toEqual([
    wrong,
    `after a writable open: ${wrong}`,
  ])
  const plain = [{ disk: 1, content: other.content }]
  expect(stateProblems(seen({ readOnly: right, writable: right, plain }), model, 0)).toEqual([`disk 1 alone: ${wrong}`])
})

test('what said that it is not to be trusted may be gone after a writable open', () => {
  const model = new GuestModel({ content: new Uint8Array(512), facts: { bitmap: '0+512' } }, [])
  const view = (facts: Record<string, string>) => ({ content: new Uint8Array(512), facts })
  const [unsure, gone] = [view({ bitmap: '?' }), view({})]
  expect(stateProblems(seen({ readOnly: unsure, writable: gone }), model, 0)).toEqual([])
  const wrong = 'after a writable open: bitmap is absent, expected 0+512'
  expect(stateProblems(seen({ readOnly: view({ bitmap: '0+512' }), writable: gone }), model, 0)).toEqual([wrong])
})
