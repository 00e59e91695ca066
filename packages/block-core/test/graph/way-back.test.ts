// All steps back are taken, the last first; what fails among them is not lost.
import { expect, test } from 'vitest'
import { BlockError } from '../../src/errors.ts'
import { WayBack } from '../../src/graph/way-back.ts'

test('steps go backwards, also past one that fails', async () => {
  const way = new WayBack()
  const log: string[] = []
  way.add(() => void log.push('first'))
  way.add(() => Promise.reject(new Error('stuck')))
  way.add(async () => void log.push('third'))
  const error = new BlockError('EACCES', 'no', { hint: 'try again' })
  const told = (await way.go(error)) as BlockError
  expect(log).toEqual(['third', 'first'])
  expect([told.code, told.message, told.hint]).toEqual(['EACCES', 'no', 'try again'])
  expect((told.cause as AggregateError).message).toBe('the way back failed too')
  expect((told.cause as AggregateError).errors.map((each: Error) => each.message)).toEqual(['no', 'stuck'])
})

test('without failures the error is told as it is, and steps are taken once', async () => {
  const way = new WayBack()
  const log: string[] = []
  way.add(() => void log.push('once'))
  const error = new Error('why')
  expect([await way.go(error), await way.go(error)]).toEqual([error, error])
  expect(log).toEqual(['once'])
})
