// Every step runs; the first failure is thrown and the others are told, but no text is told twice.
import { expect, test } from 'vitest'
import { BlockError } from '../../src/errors.ts'
import { Failures } from '../../src/graph/failures.ts'

const io = BlockError.fromErrno('EIO')
const space = BlockError.fromErrno('ENOSPC')

function recorder(): { texts: string[]; diagnostic: (message: { text: string }) => void } {
  const texts: string[] = []
  return { texts, diagnostic: ({ text }) => texts.push(text) }
}

async function collect(...errors: readonly unknown[]): Promise<Failures> {
  const failures = new Failures()
  for (const error of errors) await failures.attempt(() => Promise.reject(error))
  return failures
}

test('without a failure nothing happens', async () => {
  const sink = recorder()
  const failures = new Failures()
  await failures.attempt(() => {})
  failures.throwFirst(sink)
  failures.report(sink)
  expect(sink.texts).toEqual([])
})

test('the first is thrown, the others are told', async () => {
  const sink = recorder()
  const failures = await collect(io, space)
  expect(() => failures.throwFirst(sink)).toThrow(io)
  expect(sink.texts).toEqual(['No space left on device'])
})

// A disk that fails the flush of a format fails the flush of its file too; the reference then tells of neither.
test('what says the same as the first is not told again', async () => {
  const sink = recorder()
  const failures = await collect(io, BlockError.fromErrno('EIO'), space, space)
  expect(() => failures.throwFirst(sink)).toThrow(io)
  expect(sink.texts).toEqual(['No space left on device'])
})

test('a report tells each text once', async () => {
  const sink = recorder()
  const failures = await collect(io, space, BlockError.fromErrno('EIO'), 'no error at all')
  failures.report(sink)
  expect(sink.texts).toEqual(['Input/output error', 'No space left on device', 'no error at all'])
})
