/** Proves what `reopen` refuses by itself, and what it asks the graph for. */

import { type FlatOptions, Permissions } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { bench } from '../helpers/session.ts'

async function reopening() {
  const found = await bench()
  const asked: FlatOptions[] = []
  // A disk in memory cannot be reopened: what would be asked is all there is to see.
  found.graph.reopen = async ([change]) => void asked.push(change!.options as FlatOptions)
  return { ...found, asked }
}

test.each([
  ['reopen -rw', 'qemu-io: Only one -r/-w option may be given\nfailed'],
  ['reopen -c foo', 'qemu-io: Invalid cache option: foo\nfailed'],
  ['reopen -r -o read-only=on', "qemu-io: Cannot set both -r/-w and 'read-only'\nfailed"],
  ['reopen -c none -o cache.direct=on', 'qemu-io: Cannot set both -c and the cache options\nfailed'],
  ['reopen -c none -o cache.no-flush=on', 'qemu-io: Cannot set both -c and the cache options\nfailed'],
  ['reopen x', 'reopen [(-r|-w)] [-c cache] [-o options] -- reopens an image with new options\nfailed'],
])('%s', async (line, text) => {
  const { run, asked } = await reopening()
  expect([await run(line), asked]).toEqual([text, []])
})

test('options are joined, and only what was said changes', async () => {
  const { run, asked, backend } = await reopening()
  expect(await run('reopen -w -c writeback -o a=1 -o a=2,b=3')).toBe('')
  expect(Object.fromEntries(asked[0]!)).toEqual({
    'read-only': false,
    'cache.direct': false,
    'cache.no-flush': false,
    a: '2',
    b: '3',
  })
  expect(backend.writeThrough).toBe(false)
  await run('reopen -c directsync')
  expect(backend.writeThrough).toBe(true)
  await run('reopen')
  expect(asked[2]).toEqual(new Map())
  await run('reopen -r')
  expect(backend.permissions.taken & Permissions.write).toBe(0)
})
