// Everything that reaches the disks is in the journal, in the order of all disks together, as it was at the time.
import { expect, test } from 'vitest'
import { entryText } from '../../../src/testing/crash/journal.ts'
import { DiskRecorder } from '../../../src/testing/crash/recorder.ts'
import { filled } from '../../../src/testing/patterns.ts'

const text = (recorder: DiskRecorder): string[] =>
  recorder.journal.entries.map((entry) => ('disk' in entry ? `${entry.disk}: ${entryText(entry)}` : entryText(entry)))

test('changes of all disks stand in one journal; growing is part of the write that grows', () => {
  const recorder = new DiskRecorder()
  const [a, b] = [recorder.disk('a', 512), recorder.disk('b', filled(7, 512))]
  const data = filled(1, 1024)
  a.write(0, data)
  data.fill(9)
  b.zero(0, 512)
  b.discard(0, 256)
  b.discard(512, 0)
  a.flush()
  a.resize(1024)
  a.resize(512)
  recorder.note('end')
  expect(text(recorder)).toEqual([
    '0: write 1024 @ 0',
    '1: zero 512 @ 0',
    '1: discard 256 @ 0',
    '0: flush',
    '0: truncate to 512',
    'end',
  ])
  const [first] = recorder.journal.entries
  expect(first?.kind === 'write' && first.data).toEqual(filled(1, 1024))
  expect(recorder.journal.disks.map(({ name, start }) => `${name} ${start[0]}`)).toEqual(['a 0', 'b 7'])
})

test('what the guest did stands around the requests that it caused', async () => {
  const recorder = new DiskRecorder()
  const disk = recorder.disk('a', 512)
  await recorder.change({ offset: 0, data: filled(1, 512), facts: {} }, async () => disk.write(0, filled(1, 512)))
  await recorder.flush(async () => disk.flush())
  expect(text(recorder)).toEqual([
    'guest: begin',
    '0: write 512 @ 0',
    'guest: end',
    'guest: flush begin',
    '0: flush',
    'guest: flush end',
  ])
})

test('a change that fails never ends, and a flush that fails covers nothing', async () => {
  const recorder = new DiskRecorder()
  const fail = () => Promise.reject(new Error('no'))
  await expect(recorder.change({ offset: 0, data: filled(1, 512), facts: {} }, fail)).rejects.toThrow('no')
  await expect(recorder.flush(fail)).rejects.toThrow('no')
  expect(text(recorder)).toEqual(['guest: begin', 'guest: flush begin'])
})

test('closing is a flush, and says so if it succeeds', async () => {
  const recorder = new DiskRecorder()
  await recorder.close(async () => true)
  expect(text(recorder)).toEqual(['guest: flush begin', 'guest: flush end', 'guest: closed'])
  const silent = new DiskRecorder()
  await silent.close(async () => false)
  expect(text(silent)).toEqual(['guest: flush begin'])
  const failing = new DiskRecorder()
  await expect(failing.close(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(text(failing)).toEqual(['guest: flush begin'])
})
