// A journal's changes do to a store what they did to the disk, and its entries read well.
import { expect, test } from 'vitest'
import { applyChange, changeEnd, type DiskChange, entryText, isChange } from '../../../src/testing/crash/journal.ts'
import { MemoryStore } from '../../../src/testing/memory-driver.ts'
import { filled } from '../../../src/testing/patterns.ts'

const changes: DiskChange[] = [
  { kind: 'write', disk: 0, offset: 2, data: filled(1, 4) },
  { kind: 'zero', disk: 0, offset: 3, bytes: 1 },
  { kind: 'discard', disk: 0, offset: 5, bytes: 100 },
  { kind: 'resize', disk: 0, length: 8 },
]

test('changes are applied in order; a discard does not make the disk longer', () => {
  const store = new MemoryStore(0)
  const lengths = changes.map((change) => {
    applyChange(store, change)
    return store.length
  })
  expect(lengths).toEqual([6, 6, 6, 8])
  expect([...store.bytes()]).toEqual([0, 0, 1, 0, 1, 0, 0, 0])
  applyChange(store, { kind: 'discard', disk: 0, offset: 20, bytes: 4 })
  expect(store.length).toBe(8)
})

test('a change ends where its last byte is, or at the new length', () => {
  expect(changes.map(changeEnd)).toEqual([6, 4, 105, 8])
  expect(changes.every(isChange)).toBe(true)
  expect(isChange({ kind: 'flush', disk: 0 })).toBe(false)
})

test('entries in words', () => {
  expect(changes.map(entryText)).toEqual(['write 4 @ 2', 'zero 1 @ 3', 'discard 100 @ 5', 'truncate to 8'])
  expect(entryText({ ...changes[0]!, kind: 'write', offset: 0, data: filled(1, 2), durable: true })).toBe(
    'write 2 @ 0, durable',
  )
  expect(entryText({ kind: 'flush', disk: 0 })).toBe('flush')
  expect(entryText({ kind: 'note', text: 'close' })).toBe('close')
  expect(entryText({ kind: 'guest', event: 'flush end', flush: 0 })).toBe('guest: flush end')
})
