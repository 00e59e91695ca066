/** Proves the names that the driver goes by, and what of a node may change. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { file, fileDriver } from '../src/index.ts'
import { failure, noDirectIo, temporaryFolder } from './support.ts'

test('the driver has the reference names, and strips its prefix', () => {
  expect(fileDriver).toMatchObject({ formatName: 'file', protocolName: 'file', kind: 'protocol', needsFilename: true })
  expect(fileDriver.parseFilename?.('file:a:b')).toEqual(new Map([['filename', './a:b']]))
  expect(file('x', { aio: 'sync' })).toMatchObject({ driver: fileDriver, options: { filename: 'x', aio: 'sync' } })
})

// What the reference's storage daemon answers to the same changes.
test('a graph may change the cache mode, and not the way to the kernel', async () => {
  const filename = join(temporaryFolder(), 'image')
  writeFileSync(filename, new Uint8Array(8192))
  await using graph = createBlockGraph({ drivers: [fileDriver], implicitOpen: 'deny' })
  const given = { driver: 'file', 'node-name': 'f', filename }
  await using disk = await graph.open(new Map(Object.entries(given)))
  const reopen = (more: object) =>
    graph.reopen([{ node: 'f', options: new Map(Object.entries({ ...given, ...more })) }])
  for (const [name, value] of Object.entries({
    aio: 'threads',
    locking: 'on',
    'aio-max-batch': 4,
    'pr-manager': 'x',
  })) {
    expect((await failure(reopen({ [name]: value }))).message).toBe(`Cannot change the option '${name}'`)
  }
  await reopen({ 'drop-cache': false, 'x-check-cache-dropped': true })
  if (!noDirectIo) await reopen({ 'cache.direct': true })
  await disk.write(1, Uint8Array.of(1, 2, 3))
  await reopen({ 'cache.no-flush': true })
  const into = new Uint8Array(4)
  await disk.read(0, into)
  expect([...into]).toEqual([0, 1, 2, 3])
})
