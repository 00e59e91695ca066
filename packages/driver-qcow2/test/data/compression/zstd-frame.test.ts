/** Proves that both decoders and the reference agree on every stream: what it reads as, or that it is none. */

import { readFileSync, writeFileSync } from 'node:fs'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { zstdDecompress as decompressInBrowser } from '../../../src/data/compression/codec-browser.ts'
import { zstdDecompress as decompressInNode } from '../../../src/data/compression/codec-node.ts'
import { decompressFrames, type ZstdFrame } from '../../../src/data/compression/zstd-frame.ts'
import { readU64, viewOf } from '../../../src/format/bytes.ts'
import { KiB, newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'
import { frame, join, rawBlock, runBlock, skippable, streamCases } from '../../helpers/zstd-streams.ts'

const cluster = 64 * KiB

/** What `decompress` makes of `stream`, followed by foreign bytes; `undefined` for a failure. */
async function read(decompress: typeof decompressInNode, stream: Uint8Array): Promise<Uint8Array | undefined> {
  const into = new Uint8Array(cluster)
  try {
    await decompress(join(stream, new Uint8Array(300).fill(0x55)), into)
    return into
  } catch {
    return undefined
  }
}

/** Compared by `Buffer`: an assertion on 64 KiB of bytes is slow. */
function sameAs(found: Uint8Array | undefined, content: Uint8Array | undefined): string {
  if (found === undefined || content === undefined) return found === content ? 'same' : `${found && 'content'}`
  return Buffer.compare(found, content) === 0 ? 'same' : 'other bytes'
}

describe.each([
  { name: 'in Node', decompress: decompressInNode },
  { name: 'in a browser', decompress: decompressInBrowser },
])('$name', ({ decompress }) => {
  test.each(streamCases)('$name', async ({ stream, content }) => {
    expect(sameAs(await read(decompress, stream), content)).toBe('same')
  })
})

/** An image with one compressed cluster, and the place of its compressed bytes. */
async function imageWithStream(stream: Uint8Array): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(cluster, { compressionType: 'zstd' }))
  const { disk, close } = await openDisk(store)
  // Noise for the most part: it takes all sectors that a stream may need.
  await disk.writeCompressed(
    0,
    Uint8Array.from({ length: cluster }, (_, at) => (at < 40000 ? (at * at * 31) >>> 9 : 0)),
  )
  await close()
  const image = store.bytes()
  const view = viewOf(image)
  // The image is small: the lower halves say it all.
  const place = view.getUint32(view.getUint32(readU64(view, 40) + 4) + 4)
  image.fill(0x55, place, place + 40000)
  image.set(stream, place)
  return image
}

describeWithReference('the reference', () => {
  test('agrees on each of them', async () => {
    using folder = new TemporaryFolder()
    const verdicts: Record<string, string> = {}
    for (const { name, stream, content } of streamCases) {
      const image = await imageWithStream(stream)
      writeFileSync(folder.file('image'), image)
      const { code } = qemuImg('convert', '-O', 'raw', folder.file('image'), folder.file('raw'))
      const theirs = code === 0 ? readFileSync(folder.file('raw')) : undefined
      const { disk, close } = await openDisk(new MemoryStore(image), { readOnly: true })
      const ours = await readAll(disk).catch(() => undefined)
      await close()
      verdicts[name] = `ours ${sameAs(ours, content)}, theirs ${sameAs(theirs, content)}`
    }
    expect(verdicts).toEqual(Object.fromEntries(streamCases.map(({ name }) => [name, 'ours same, theirs same'])))
  })
})

describe('what no decoder is asked about', () => {
  const never = (): never => expect.fail('nothing to decompress')
  const whole = runBlock(1, 512)
  test.each([
    ['no zstd frame', new Uint8Array(64)],
    ['the zstd stream ends too early', new Uint8Array(0)],
    ['the zstd stream ends too early', frame({ blocks: [whole] }).subarray(0, 9)],
    ['the zstd stream ends too early', frame({ open: true, blocks: [whole] })],
    ['the zstd stream ends too early', frame({ bits: 4, blocks: [whole] })],
    ['the zstd stream ends too early', skippable(20).subarray(0, 24)],
    ['the zstd frame is larger than the cluster', frame({ size: 513, blocks: [whole] })],
    ['the zstd window is too large', frame({ window: 255, blocks: [whole] })],
  ])('%s', (message, stream) => {
    expect(() => decompressFrames(stream, new Uint8Array(512), never)).toThrow(message)
  })

  // In the place of a cluster of 2 MiB there is room for 466,000 of them: each takes a call of the library.
  test('frames without content, and without end', () => {
    const none = frame({ size: 0, single: true, blocks: [rawBlock(new Uint8Array(0))] })
    const calls: number[] = []
    const decompress = (_frame: unknown, contentBytesMax: number): Uint8Array => {
      calls.push(contentBytesMax)
      return new Uint8Array(0)
    }
    const endless = join(...Array.from({ length: 2000 }, () => none))
    expect(() => decompressFrames(endless, new Uint8Array(512), decompress)).toThrow('too many zstd frames')
    expect(calls).toEqual(new Array(1024).fill(0))
  })

  test('a library is given room for what the blocks can be, and no more than the cluster has', () => {
    const rooms: number[] = []
    const decompress = ({ contentBytes }: ZstdFrame, contentBytesMax: number): Uint8Array => {
      rooms.push(contentBytesMax)
      return new Uint8Array(contentBytes!)
    }
    const compressed = new Uint8Array([4 | (3 << 3), 0, 0, 1, 2, 3])
    const stream = join(
      frame({ size: 3, blocks: [rawBlock(new Uint8Array(3))] }),
      frame({ size: 100, blocks: [runBlock(1, 100)] }),
      frame({ size: 2 ** 20, blocks: [compressed] }),
      frame({ size: 2 ** 20 - 103, blocks: Array.from({ length: 20 }, () => compressed) }),
    )
    decompressFrames(stream, new Uint8Array(2 ** 21), decompress)
    expect(rooms).toEqual([3, 100, 128 * KiB, 2 ** 20 - 103])
  })

  test.each([
    { said: 512, given: 511 },
    { said: undefined, given: 513 },
  ])('a decoder that gives $given bytes where $said are said', ({ said, given }) => {
    const stream = frame({ ...(said !== undefined && { size: said }), blocks: [whole] })
    expect(() => decompressFrames(stream, new Uint8Array(512), () => new Uint8Array(given))).toThrow(
      'the zstd frame has another length than it says',
    )
  })
})
