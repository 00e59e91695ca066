/** Proves which reads are copied, that everything else goes on as it is, and which permissions that takes. */

import type { Child, ChainSource, FrozenChain, ReadFlags } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { CopyOnReadLayer } from '../src/copy-on-read-layer.ts'

function bytesIn(data: Uint8Array | readonly Uint8Array[]): string {
  return data instanceof Uint8Array ? `${data.length}` : data.map((part) => part.length).join('+')
}

/** A file that notes what is asked of it. */
function notingFile(extra: object = {}): { file: Child; log: string[] } {
  const log: string[] = []
  const file = {
    length: 4096,
    info: { clusterSize: 65536, dirty: false },
    canCompress: true,
    read: async (offset: number, into: Uint8Array, flags?: ReadFlags) => {
      into.fill(offset / 512 + 1)
      const what = flags?.copyOnRead === true ? 'copy' : 'read'
      log.push(`${what} ${offset} ${into.length}${flags?.prefetch === true ? ' only' : ''}`)
    },
    write: async (offset: number, data: Uint8Array | readonly Uint8Array[], flags: object) =>
      void log.push(`write ${offset} ${bytesIn(data)} ${JSON.stringify(flags)}`),
    writeZeroes: async (offset: number, bytes: number, flags: object) =>
      void log.push(`zero ${offset} ${bytes} ${JSON.stringify(flags)}`),
    writeCompressed: async (offset: number, data: Uint8Array) => void log.push(`compressed ${offset} ${data.length}`),
    discard: async (offset: number, bytes: number) => void log.push(`discard ${offset} ${bytes}`),
    ...extra,
  }
  return { file: file as unknown as Child, log }
}

/** A chain with 1 KiB in the top, 1 KiB below, 1 KiB beyond, and nothing more. */
function chainOf(): FrozenChain & { released: number } {
  const sources: readonly ChainSource[] = ['top', 'below', 'beyond']
  return {
    released: 0,
    async source(offset, bytes) {
      const source = sources[Math.floor(offset / 1024)]
      return source === undefined
        ? { bytes: 0, source: 'beyond' }
        : { bytes: Math.min(bytes, 1024 - (offset % 1024)), source }
    },
    release() {
      this.released++
    },
  }
}

test('without a bottom every read is one that copies', async () => {
  const { file, log } = notingFile()
  const layer = new CopyOnReadLayer(file, undefined)
  expect(layer.length).toBe(4096)
  await layer.read(512, new Uint8Array(2048))
  expect(log).toEqual(['copy 512 2048'])
  await layer.close()
})

test('prefetching copies the same and asks for no data', async () => {
  const all = notingFile()
  await new CopyOnReadLayer(all.file, undefined).prefetch(512, 2048)
  expect(all.log).toEqual(['copy 512 2048 only'])
  const some = notingFile()
  await new CopyOnReadLayer(some.file, chainOf()).prefetch(512, 2048)
  expect(some.log).toEqual(['read 512 512 only', 'copy 1024 1024 only', 'read 2048 512 only'])
})

test('with a bottom only what was found below the top is copied', async () => {
  const { file, log } = notingFile()
  const chain = chainOf()
  const layer = new CopyOnReadLayer(file, chain)
  const into = new Uint8Array(3584)
  await layer.read(512, into)
  expect(log).toEqual(['read 512 512', 'copy 1024 1024', 'read 2048 1024', 'read 3072 1024'])
  expect([into[0], into[512], into[1536], into[2560], into[3583]]).toEqual([2, 3, 5, 7, 7])
  await layer.close()
  expect(chain.released).toBe(1)
})

test('writes go on as they are', async () => {
  const { file, log } = notingFile()
  const { writer } = new CopyOnReadLayer(file, chainOf())
  await writer.write(0, new Uint8Array(512), { fua: true })
  await writer.writev?.(512, [new Uint8Array(1), new Uint8Array(511)], { fua: false, unchanged: true })
  await writer.writeZeroes?.(1024, 512, { mayUnmap: true, noFallback: false, fua: false })
  await writer.writeCompressed?.(0, new Uint8Array(64))
  await writer.discard?.(0, 4096)
  expect(log).toEqual([
    'write 0 512 {"fua":true}',
    'write 512 1+511 {"fua":false,"unchanged":true}',
    'zero 1024 512 {"mayUnmap":true,"noFallback":false,"fua":false}',
    'compressed 0 64',
    'discard 0 4096',
  ])
})

test('compressed writes are there where the image has them', () => {
  expect(new CopyOnReadLayer(notingFile({ canCompress: false }).file, undefined).writer.writeCompressed).toBeUndefined()
  expect(new CopyOnReadLayer(notingFile().file, undefined).info()).toEqual({ clusterSize: 65536 })
  expect(new CopyOnReadLayer(notingFile({ info: {} }).file, undefined).info()).toEqual({})
})

// As the reference shows them in its block graph: without users, with a reader, with a writer.
test('the image is always written, without any change', () => {
  const layer = new CopyOnReadLayer(notingFile().file, undefined)
  const asked = (taken: number, shared: number) => layer.childPermissions('file', { taken, shared }, { taken, shared })
  expect(asked(0, 15)).toEqual({ taken: 4, shared: 15 })
  expect(asked(1, 7)).toEqual({ taken: 5, shared: 7 })
  expect(asked(3, 7)).toEqual({ taken: 7, shared: 7 })
  expect(asked(15, 1)).toEqual({ taken: 15, shared: 5 })
})
