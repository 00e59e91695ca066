// The power can fail before every flush that matters, and at the end: what is durable then, and what is in doubt.
import { expect, test } from 'vitest'
import { entryText, type JournalEntry } from '../../../src/testing/crash/journal.ts'
import { crashMoments } from '../../../src/testing/crash/moments.ts'
import { filled } from '../../../src/testing/patterns.ts'

const write = (disk: number, offset: number, value: number, durable = false): JournalEntry => ({
  kind: 'write',
  disk,
  offset,
  data: filled(value, 512),
  durable,
})
const flush = (disk: number): JournalEntry => ({ kind: 'flush', disk })

function moments(disks: number, entries: JournalEntry[]): string[] {
  const journal = { disks: Array.from({ length: disks }, () => ({ name: '', start: new Uint8Array(1024) })), entries }
  return [...crashMoments(journal)].map(({ number, position, durable, doubtful }) => {
    const content = durable.map((bytes) => `${bytes[0]}${bytes[512]}`).join(' ')
    return `${number} at ${position}: ${content} | ${doubtful.map(entryText).join(', ')}`
  })
}

test('a flush makes durable what came before it', () => {
  expect(moments(1, [write(0, 0, 1), flush(0), flush(0), write(0, 512, 2)])).toEqual([
    '0 at 1: 00 | write 512 @ 0',
    '1 at 4: 10 | write 512 @ 512',
  ])
})

test('a flush of one disk leaves the others in doubt', () => {
  expect(moments(2, [write(0, 0, 1), write(1, 0, 2), flush(0), write(0, 512, 3), flush(1), flush(0)])).toEqual([
    '0 at 2: 00 00 | write 512 @ 0, write 512 @ 0',
    '1 at 4: 10 00 | write 512 @ 0, write 512 @ 512',
    '2 at 5: 10 20 | write 512 @ 512',
    '3 at 6: 13 20 | ',
  ])
})

test('a durable write is durable alone, and what it covers cannot come back', () => {
  expect(moments(1, [write(0, 0, 1), write(0, 512, 2), write(0, 0, 3, true)])).toEqual([
    '0 at 2: 00 | write 512 @ 0, write 512 @ 512, write 512 @ 0, durable',
    '1 at 3: 30 | write 512 @ 512',
  ])
})

test('what a guest learns between two flushes makes a moment of its own', () => {
  const guest: JournalEntry = { kind: 'guest', event: 'flush end', flush: 0 }
  expect(moments(1, [write(0, 0, 1), flush(0), guest, { kind: 'note', text: '' }])).toHaveLength(2)
  expect(moments(1, [])).toEqual(['0 at 0: 00 | '])
})
