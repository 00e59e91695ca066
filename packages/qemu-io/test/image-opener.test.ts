/** Proves what an opener makes of a request: the graph's options, copy-on-read, and a temporary overlay that goes. */

import { type ChildSpec, defineDriver, type OpenContext } from '@blocklayer/block-core/driver'
import { MemoryStore, memoryLayer } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { createOpener } from '../src/image-opener.ts'

const opened: string[] = []

/** Stands for files: any name is 4 KiB of memory. */
const files = defineDriver<{ filename: string; locking?: string }, never>({
  formatName: 'file',
  kind: 'protocol',
  protocolName: 'file',
  needsFilename: true,
  options: {
    filename: { name: 'filename', type: 'string', required: true, help: 'x' },
    locking: { name: 'locking', type: 'string', help: 'x' },
  },
  parseFilename: (filename) => new Map([['filename', filename]]),
  async open({ flags, readOnly }: OpenContext, { filename }) {
    const { unmap, direct, noFlush } = flags
    opened.push(
      [filename, readOnly && 'ro', unmap && 'unmap', direct && 'direct', noFlush && 'unsafe'].filter(Boolean).join(' '),
    )
    if (filename === 'missing') throw new Error('unreachable')
    return memoryLayer({ store: new MemoryStore(4096) })
  },
})

const raw = defineDriver<{ file: ChildSpec }, never>({
  formatName: 'raw',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'x' } },
  probe: () => 1,
  async open(context, { file: spec }) {
    const file = await context.attach('file', 5, spec)
    return { length: file.length, read: (at, into) => file.read(at, into), close: async () => {} }
  },
})

const request = {
  path: 'disk',
  format: 'raw',
  readOnly: true,
  snapshot: false,
  copyOnRead: false,
  forceShare: false,
  unmap: true,
  cache: { direct: true, noFlush: false, writeThrough: true },
} as const

test('options reach the graph, by name or alone; drivers are asked for by aio', async () => {
  const asked: unknown[] = []
  const open = createOpener({
    drivers: (aio) => {
      asked.push(aio)
      return [files, raw]
    },
    implicitOpen: 'deny',
  })
  opened.length = 0
  const first = await open({ ...request, aio: 'native' }, () => {})
  expect([opened, asked, first.backend.writeThrough]).toEqual([['disk ro unmap direct'], ['native'], true])
  await first.close()
  const options = new Map([
    ['driver', 'raw'],
    ['file.filename', 'other'],
    ['file.driver', 'file'],
  ])
  const cache = { ...request.cache, direct: false, noFlush: true }
  const second = await open({ ...request, path: undefined, format: undefined, options, cache }, () => {})
  expect(opened.at(-1)).toBe('other ro unmap unsafe')
  await second.close()
})

test('copy-on-read needs a writable image, a snapshot somewhere to write', async () => {
  const open = createOpener({ drivers: () => [files, raw], implicitOpen: 'deny' })
  await expect(open({ ...request, copyOnRead: true }, () => {})).rejects.toThrow(
    "Can't use copy-on-read on read-only device",
  )
  await expect(open({ ...request, snapshot: true }, () => {})).rejects.toThrow('Operation not supported')
})

test('the file of a temporary overlay is removed, also where the overlay could not be made', async () => {
  const gone: string[] = []
  const temporaryFile = async () => ({ path: 'temporary', remove: async () => void gone.push('temporary') })
  const open = createOpener({ drivers: () => [files, raw], implicitOpen: 'deny', temporaryFile })
  await expect(open({ ...request, snapshot: true }, () => {})).rejects.toThrow("Unknown file format 'qcow2'")
  expect(gone).toEqual(['temporary'])
})
