// A log of writes becomes a journal: a flush flag stands before its write, a mark is a note, FUA makes one write durable.
import { expect, test } from 'vitest'
import { entryText } from '../../../src/testing/crash/journal.ts'
import { journalOfLog, type LoggedEntry } from '../../../src/testing/crash/log-journal.ts'
import { filled } from '../../../src/testing/patterns.ts'

const entry = (part: Partial<LoggedEntry>): LoggedEntry => ({
  kind: 'write',
  offset: 0,
  bytes: 512,
  flush: false,
  fua: false,
  text: '',
  data: async () => filled(3, 512),
  ...part,
})

test('a log becomes a journal', async () => {
  const journal = await journalOfLog(new Uint8Array(2048), [
    entry({ offset: 512 }),
    entry({ kind: 'flush', offset: 0, bytes: 0, flush: true }),
    entry({ kind: 'mark', text: 'half way' }),
    entry({ kind: 'discard', bytes: 1024 }),
    entry({ flush: true, fua: true }),
  ])
  expect(journal.entries.map(entryText)).toEqual([
    'write 512 @ 512',
    'flush',
    'half way',
    'discard 1024 @ 0',
    'flush',
    'write 512 @ 0, durable',
  ])
  expect(journal.disks).toEqual([{ name: 'disk', start: new Uint8Array(2048) }])
})
