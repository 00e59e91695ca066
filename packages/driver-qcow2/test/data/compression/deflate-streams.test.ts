/** Proves that both decoders and the reference agree where a deflated cluster ends, and that a bomb ends there too. */

import { readFileSync, writeFileSync } from 'node:fs'
import { constants, deflateRawSync } from 'node:zlib'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { inflate as inflateInBrowser } from '../../../src/data/compression/codec-browser.ts'
import { inflate as inflateInNode } from '../../../src/data/compression/codec-node.ts'
import { deflateCases, streamCluster } from '../../helpers/deflate-streams.ts'
import { newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'

/** Compared by `Buffer`: an assertion on 64 KiB of bytes is slow. */
function sameAs(found: Uint8Array | undefined, content: Uint8Array | undefined): string {
  if (found === undefined || content === undefined) return found === content ? 'same' : `${found && 'content'}`
  return Buffer.compare(found, content) === 0 ? 'same' : 'other bytes'
}

describe.each([
  { name: 'in Node', inflate: inflateInNode },
  { name: 'in a browser', inflate: inflateInBrowser },
])('$name', ({ inflate }) => {
  test.each(deflateCases)('$name', ({ stream, content }) => {
    const into = new Uint8Array(streamCluster)
    if (content === undefined) return expect(() => inflate(stream, into)).toThrow('the deflate stream ends too early')
    const before = process.memoryUsage()
    inflate(stream, into)
    const { arrayBuffers, external } = process.memoryUsage()
    expect(sameAs(into, content)).toBe('same')
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(4 * 2 ** 20)
    expect(external - before.external).toBeLessThan(4 * 2 ** 20)
  })
})

// A cluster of 2 MiB may be said to have been compressed to 4 MiB, which can stand for 4 GiB.
test.each([
  { name: 'in Node', inflate: inflateInNode },
  { name: 'in a browser', inflate: inflateInBrowser },
])('gigabytes end with the cluster $name', ({ inflate }) => {
  const part = deflateRawSync(new Uint8Array(2 ** 20), { windowBits: 12, finishFlush: constants.Z_FULL_FLUSH })
  const stream = new Uint8Array(Buffer.concat(new Array(4 * 1024).fill(part)))
  expect(stream.length).toBeGreaterThan(4 * 2 ** 20)
  const into = new Uint8Array(2 * 2 ** 20).fill(1)
  const before = process.memoryUsage()
  inflate(stream, into)
  const { arrayBuffers, external } = process.memoryUsage()
  expect(Buffer.compare(into, new Uint8Array(into.length))).toBe(0)
  expect(arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 2 ** 20)
  expect(external - before.external).toBeLessThan(8 * 2 ** 20)
})

/** An image whose first cluster is the stream, in as many sectors as an entry can name. */
async function imageWithStream(stream: Uint8Array): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(streamCluster))
  const { disk, close } = await openDisk(store)
  await disk.write(0, new Uint8Array(512).fill(1))
  await close()
  const place = 5 * 65536
  const image = new Uint8Array(place + 3 * 65536)
  image.set(store.bytes())
  image.fill(0, place)
  image.set(stream, place)
  const sectors = BigInt(Math.ceil(stream.length / 512) - 1)
  new DataView(image.buffer).setBigUint64(4 * 65536, (1n << 62n) | (sectors << 54n) | BigInt(place))
  return image
}

describeWithReference('the reference', () => {
  test('agrees on each of them', async () => {
    using folder = new TemporaryFolder()
    const verdicts: Record<string, string> = {}
    for (const { name, stream, content, failsThere } of deflateCases) {
      const image = await imageWithStream(stream)
      writeFileSync(folder.file('image'), image)
      const { code } = qemuImg('convert', '-O', 'raw', folder.file('image'), folder.file('raw'))
      const theirs = code === 0 ? readFileSync(folder.file('raw')) : undefined
      const { disk, close } = await openDisk(new MemoryStore(image), { readOnly: true })
      const ours = await readAll(disk).catch(() => undefined)
      await close()
      verdicts[name] = `ours ${sameAs(ours, content)}, theirs ${sameAs(theirs, failsThere ? undefined : content)}`
    }
    expect(verdicts).toEqual(Object.fromEntries(deflateCases.map(({ name }) => [name, 'ours same, theirs same'])))
  })
})
