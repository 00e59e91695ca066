// A guest may see what it flushed, and of everything since the old or the new, sector by sector; nothing else.
import { expect, test } from 'vitest'
import { absentFact, GuestModel, type GuestView, unknownFact } from '../../../src/testing/crash/guest-model.ts'
import type { GuestChange, JournalEntry } from '../../../src/testing/crash/journal.ts'
import { filled } from '../../../src/testing/patterns.ts'

const change = (offset: number, value: number, bytes = 512, facts = {}): GuestChange => ({
  offset,
  data: filled(value, bytes),
  facts,
})
const begin = (of: GuestChange): JournalEntry => ({ kind: 'guest', event: 'begin', change: of })
const end = (of: GuestChange): JournalEntry => ({ kind: 'guest', event: 'end', change: of })
const flush = (event: 'flush begin' | 'flush end', number = 0): JournalEntry => ({
  kind: 'guest',
  event,
  flush: number,
})
const view = (sectors: readonly number[], facts = {}): GuestView => ({
  content: Uint8Array.from({ length: sectors.length * 512 }, (_, at) => sectors[Math.floor(at / 512)]!),
  facts,
})

const start = view([9, 9], { length: '1024' })
const wrong = (entries: JournalEntry[], seen: GuestView, position = entries.length): string[] =>
  new GuestModel(start, entries).problems(seen, position)

test('an unflushed write: each sector old or new', () => {
  const one = change(0, 1, 1024)
  const entries = [begin(one), end(one)]
  for (const sectors of [
    [9, 9],
    [1, 9],
    [9, 1],
    [1, 1],
  ]) {
    expect(wrong(entries, view(sectors, start.facts))).toEqual([])
  }
  expect(wrong(entries, view([2, 9], start.facts))).toEqual([
    'guest sector 0 begins with 0202020202020202, expected 0909090909090909 or 0101010101010101',
  ])
  expect(wrong(entries, view([1, 1], start.facts), 0)).toEqual([
    'guest sector 0 begins with 0101010101010101, expected 0909090909090909 (and 1 more sectors)',
  ])
})

test('a flush makes durable what had ended when it began', () => {
  const [one, two, three] = [change(0, 1), change(0, 2), change(512, 3)]
  const entries = [begin(one), end(one), begin(two), flush('flush begin'), end(two), begin(three), end(three)]
  expect(wrong(entries, view([9, 9], start.facts))).toEqual([])
  const flushed = [...entries, flush('flush end')]
  expect(wrong(flushed, view([9, 9], start.facts))).toHaveLength(1)
  for (const sectors of [
    [1, 9],
    [2, 9],
    [1, 3],
  ])
    expect(wrong(flushed, view(sectors, start.facts))).toEqual([])
})

test('facts are old or new, too', () => {
  const grown = change(0, 0, 0, { length: '2048', snapshot: 'a' })
  const entries = [begin(grown), end(grown), flush('flush begin'), flush('flush end')]
  expect(wrong(entries.slice(0, 1), view([9, 9], { length: '1024' }))).toEqual([])
  expect(wrong(entries.slice(0, 1), view([9, 9, 0, 0], { length: '2048', snapshot: 'a' }))).toEqual([])
  expect(wrong(entries, view([9, 9], { length: '1024', snapshot: 'b' }))).toEqual([
    'length is 1024, expected 2048',
    'snapshot is b, expected a',
  ])
  expect(wrong(entries, view([9, 9], { length: '2048' }))).toEqual(['snapshot is absent, expected a'])
  expect(wrong([], view([9, 9], { ...start.facts, more: 'x' }))).toEqual(['more is x, expected absent'])
})

test('a fact may say that it is not to be trusted, while it may be there and until the image is closed', () => {
  const seen = view([9, 9], { length: unknownFact })
  expect(wrong([], seen)).toEqual([])
  expect(wrong([], view([9, 9], { ...start.facts, more: unknownFact }))).toEqual(['more is ?, expected absent'])
  const closed: JournalEntry = { kind: 'guest', event: 'closed' }
  expect(wrong([closed], seen)).toEqual(['length is ?, expected 1024'])
  const gone = change(0, 0, 0, { length: absentFact })
  const entries = [begin(gone), end(gone)]
  expect(wrong(entries, seen)).toEqual([])
  expect(wrong([...entries, flush('flush begin'), flush('flush end')], seen)).toEqual(['length is ?, expected absent'])
})

test('contents whose bytes do not lie in words are compared as well', () => {
  const model = new GuestModel({ content: filled(9, 1023), facts: {} }, [])
  const odd = filled(9, 1027).subarray(1, 1024)
  expect(model.contentProblems(odd, 0)).toEqual([])
  odd[1022] = 8
  expect(model.contentProblems(odd, 0)).toHaveLength(1)
})

test('positions between which the guest does nothing have one key', () => {
  const one = change(0, 1)
  const note: JournalEntry = { kind: 'note', text: '' }
  const model = new GuestModel(start, [note, begin(one), note, end(one)])
  expect([0, 1, 2, 3, 4].map((position) => model.key(position))).toEqual([0, 0, 1, 1, 2])
})
