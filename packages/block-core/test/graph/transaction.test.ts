// A change is taken back from its last step to its first, and what waits for it to hold happens only then.
import { expect, test } from 'vitest'
import { inTransaction } from '../../src/graph/transaction.ts'

test('a change that holds settles in order and undoes nothing', () => {
  const log: string[] = []
  const result = inTransaction((transaction) => {
    transaction.undoWith(() => log.push('undo'))
    transaction.settleWith(() => log.push('settle 1'))
    transaction.settleWith(() => log.push('settle 2'))
    return 'result'
  })
  expect([result, log]).toEqual(['result', ['settle 1', 'settle 2']])
})

test('a change that fails undoes its steps backwards and settles nothing', () => {
  const log: string[] = []
  const change = () =>
    inTransaction((transaction) => {
      transaction.undoWith(() => log.push('undo 1'))
      transaction.settleWith(() => log.push('settle'))
      transaction.undoWith(() => log.push('undo 2'))
      throw new Error('no')
    })
  expect(change).toThrow('no')
  expect(log).toEqual(['undo 2', 'undo 1'])
})
