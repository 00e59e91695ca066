/** Proves the parts that commands share: ranges, vectors, limits, buffers. */

import { expect, test } from 'vitest'
import { Arguments, splitLine } from '../../src/arguments.ts'
import { buffersOf, rangeOf, reportMode, requireBufferLength, vectorOf } from '../../src/commands/shared.ts'
import { findCommand } from '../../src/commands/table.ts'
import { bench, emptyBench } from '../helpers/session.ts'

async function args(line: string): Promise<[Awaited<ReturnType<typeof bench>>['session'], Arguments]> {
  const { session } = await bench()
  const found = new Arguments(findCommand('readv')!, 'readv', splitLine(line))
  for (const _ of found.options()) continue
  return [session, found]
}

test('a range has two operands', async () => {
  expect(rangeOf(...(await args('1k 2k')))).toEqual({ offset: 1024, bytes: 2048 })
  await expect(args('1 2 3').then((words) => rangeOf(...words))).rejects.toThrow('readv [-Cqv]')
})

test('a vector has lengths, each and together within the limit', async () => {
  expect(vectorOf(...(await args('1k 1 2 3')))).toEqual({ offset: 1024, lengths: [1, 2, 3] })
  await expect(args('0 2G').then((words) => vectorOf(...words))).rejects.toThrow(
    "Argument '2G' exceeds maximum size 2147483136",
  )
  await expect(args('0 1G 1G').then((words) => vectorOf(...words))).rejects.toThrow(
    'The total number of bytes exceed the maximum size 2147483136',
  )
})

test('buffers are parts of one', () => {
  const { whole, parts } = buffersOf([2, 0, 3], 7)
  parts[2]?.fill(1)
  expect([[...whole], parts.map((part) => part.length)]).toEqual([
    [7, 7, 1, 1, 1],
    [2, 0, 3],
  ])
})

test('lengths, reports, no image', async () => {
  expect(() => requireBufferLength(2147483136, 'x')).not.toThrow()
  expect(() => requireBufferLength(2147483137, '2G', ' without -n')).toThrow(
    'length cannot exceed 2147483136 without -n, given 2G',
  )
  expect(reportMode(new Set('C'))).toEqual({ quiet: false, forPrograms: true })
  expect(await emptyBench().run('length')).toBe("no file open, try 'help open'\nfailed")
})
