// Proves that the packages run in browsers: every door is bundled and loaded without Node, and a page opens chains, streams
// images both ways, commits and converts, with nothing but the web's globals; Node's codecs and the page's read each other.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { filled, MemoryFiles, MemoryStore } from '@blocklayer/block-core/testing'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { checkImage, convertImage, createImageSnapshot } from '@blocklayer/qemu-img'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle, doors, runPage } from './browser/bundle.ts'
import type { PageInput, PageOutput } from './browser/page.ts'

const [size, clusterBytes] = [2 ** 20, 65536]
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-browser-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Text that packs well, some zeroes, and noise that does not pack at all. */
function guestContent(): Uint8Array {
  const content = new Uint8Array(size)
  for (let at = 0; at < 4 * clusterBytes; at++) content[at] = at >>> 7
  for (let at = 8 * clusterBytes, x = 1; at < 9 * clusterBytes; at++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    content[at] = x >>> 24
  }
  return content
}

/** Images as Node makes them, all of `content`: compressed in both ways, and an overlay on one of these. */
async function imagesByNode(content: Uint8Array): Promise<PageInput> {
  const files = new MemoryFiles()
  files.stores.set('raw', new MemoryStore(content))
  await using graph = createBlockGraph({ drivers: [files.driver, rawDriver, qcow2Driver], implicitOpen: 'allow' })
  await using disk = await graph.open('mem:raw', { format: 'raw', readOnly: true })
  for (const name of ['zlib', 'zstd']) {
    const target = { filename: `mem:${name}`, format: 'qcow2', options: { compression_type: name } }
    await convertImage(graph, disk, target, { compress: true })
  }
  await graph.create('qcow2', 'mem:overlay', { backing: { filename: 'mem:zstd', format: 'qcow2' } })
  {
    await using overlay = await graph.open('mem:overlay', { format: 'qcow2' })
    await overlay.write(0, filled(0xee, 2 * clusterBytes))
    await createImageSnapshot(overlay, 'changed')
    await overlay.write(0, content.slice(0, 2 * clusterBytes))
  }
  const image = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(files.stores.get(name)!.bytes())
  const images = { zlib: image('zlib'), zstd: image('zstd'), 'mem:zstd': image('zstd'), overlay: image('overlay') }
  return { images, overlay: 'overlay', content }
}

/** What Node finds in an image that a page has made. */
async function contentByNode(image: Uint8Array): Promise<Uint8Array> {
  const files = new MemoryFiles()
  files.stores.set('image', new MemoryStore(image))
  await using graph = createBlockGraph({ drivers: [files.driver, qcow2Driver], implicitOpen: 'deny' })
  await using disk = await graph.open('mem:image', { format: 'qcow2', readOnly: true })
  expect((await checkImage(disk)).verdict).toBe('clean')
  const content = new Uint8Array(disk.length)
  await disk.read(0, content)
  return content
}

/** Bytes of `image` in blocks that are not all zeroes: tables of a stream stand behind the most data there can be. */
function stored(image: Uint8Array): number {
  let bytes = 0
  for (let at = 0; at < image.length; at += 4096) {
    if (image.subarray(at, at + 4096).some((byte) => byte !== 0)) bytes += 4096
  }
  return bytes
}

test('every package is loaded without Node', async () => {
  const program = join(folder, 'all-doors.ts')
  const names = doors().map((door, i) => `import * as door${i} from '${door}'\n`)
  const counts = doors().map((_, i) => `Object.keys(door${i}).length`)
  writeFileSync(program, `${names.join('')}export const load = async () => [${counts.join(', ')}]\n`)
  const code = await bundle(program, folder)
  const loaded = await runPage<number[]>(code, 'load', undefined, { disposes: true })
  expect(loaded.length).toBeGreaterThan(15)
  expect(Math.min(...loaded)).toBeGreaterThan(0)
})

test.each([true, false])('a page works with images (its engine disposes by itself: %s)', async (disposes) => {
  const content = guestContent()
  const code = await bundle(join(import.meta.dirname, 'browser/page.ts'), folder)
  const output = await runPage<PageOutput>(code, 'usePage', await imagesByNode(content), { disposes })
  expect(output.steps).toEqual([
    'chain same, clean, 1 snapshot',
    'zlib same',
    'zlib again same',
    'zstd same',
    'zstd again same',
    'cut off EIO, released 1',
    'committed identical, 1 snapshot',
  ])
  for (const name of ['zlib', 'zstd']) {
    expect(await contentByNode(output.streamed[name]!), name).toEqual(content)
    expect(stored(output.streamed[name]!)).toBeLessThan(size / 4)
  }
  const committed = new Uint8Array(size)
  committed.fill(7, 1000, 101_000)
  committed.fill(8, 2 ** 19, 2 ** 19 + 65536)
  expect(await contentByNode(output.committed)).toEqual(committed)
})
