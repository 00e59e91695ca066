/** What a page does with disk images: read, write, check, commit and stream them, over blobs and memory. */
import { createBlockGraph, type ImplicitReference, snapshotsOf } from '@blocklayer/block-core'
import { type BlockDriver, type BlockLayer, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import { MemoryFiles } from '@blocklayer/block-core/testing'
import { commitImage } from '@blocklayer/blockjob'
import { qcow2, qcow2Driver, writeQcow2Stream } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import {
  checkImage,
  chunksOf,
  compareDisks,
  convertImage,
  createImageSnapshot,
  ForwardBytes,
  imageInfo,
  rawDiskStream,
  rawStreamOf,
  streamOf,
} from '@blocklayer/qemu-img'

/** Images by the names under which others know them, and the content that the last one shows. */
export interface PageInput {
  readonly images: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
  readonly overlay: string
  readonly content: Uint8Array
}

/** What became of it: everything that Node can look at afterwards. */
export interface PageOutput {
  readonly steps: readonly string[]
  /** The content again, as images that were streamed: by compression. */
  readonly streamed: Readonly<Record<string, Uint8Array>>
  /** An image that was made, written and committed into in memory. */
  readonly committed: Uint8Array
}

interface BlobOptions {
  readonly blob: Blob
}

/** A file that somebody has dropped into the page. */
const blobDriver: BlockDriver<BlobOptions, never> = defineDriver<BlobOptions>({
  formatName: 'blob',
  kind: 'protocol',
  options: { blob: { name: 'blob', type: 'string', help: 'the blob (only in code)' } },
  open: (_context, options) => Promise.resolve(blobLayer(options)),
})

function blobLayer({ blob }: BlobOptions): BlockLayer {
  return {
    length: blob.size,
    read: async (offset, into) => {
      const bytes = new Uint8Array(await blob.slice(offset, offset + into.length).arrayBuffer())
      into.set(bytes)
      into.fill(0, bytes.length)
    },
    close: async () => {},
  }
}

const imageIn = (bytes: Uint8Array<ArrayBuffer>): NodeSpec =>
  qcow2({ file: nodeSpec(blobDriver, { blob: new Blob([bytes]) }) })

/** All that follows, in order. */
export async function usePage({ images, overlay, content }: PageInput): Promise<PageOutput> {
  const steps = [await readChain(images, overlay, content)]
  const streamed: Record<string, Uint8Array> = {}
  for (const compression of ['zlib', 'zstd']) {
    const image = images[compression]!
    steps.push(`${compression} ${sameBytes(await bytesOf(rawOf(image)), content)}`)
    streamed[compression] = await bytesOf(packed(image, compression))
    steps.push(`${compression} again ${sameBytes(await bytesOf(rawOf(streamed[compression])), content)}`)
  }
  steps.push(await giveUp(images))
  const files = new MemoryFiles()
  steps.push(await commitInMemory(files))
  return { steps, streamed, committed: files.stores.get('base')!.bytes() }
}

async function readChain(images: PageInput['images'], overlay: string, content: Uint8Array): Promise<string> {
  const implicitOpen = ({ filename }: ImplicitReference): NodeSpec => imageIn(images[filename]!)
  await using graph = createBlockGraph({ drivers: [qcow2Driver], implicitOpen })
  await using disk = await graph.open(imageIn(images[overlay]!), { readOnly: true })
  const found = new Uint8Array(disk.length)
  await disk.read(0, found)
  const { snapshots } = await imageInfo(disk)
  return `chain ${sameBytes(found, content)}, ${(await checkImage(disk)).verdict}, ${snapshots?.length} snapshot`
}

function rawOf(image: Uint8Array): ReadableStream<Uint8Array> {
  const source = new Blob([new Uint8Array(image)]).stream()
  return rawStreamOf(source, { drivers: [qcow2Driver] }).pipeThrough(new TransformStream())
}

function packed(image: Uint8Array, compression: string): ReadableStream<Uint8Array> {
  const disk = rawDiskStream(new ForwardBytes(chunksOf(rawOf(image))))
  return streamOf((sink) => writeQcow2Stream(disk, sink, { compress: true, create: { compressionType: compression } }))
}

/** A stream that is cut off fails with the errno, and one that nobody wants any more lets go of its source. */
async function giveUp({ zlib }: PageInput['images']): Promise<string> {
  const cut = await bytesOf(rawOf(zlib!.subarray(0, zlib!.length - 1024))).catch(({ code }: { code: string }) => code)
  let released = 0
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65536)),
    cancel: () => void released++,
  })
  const reader = rawStreamOf(source, { drivers: [], format: 'raw' }).getReader()
  await reader.read()
  await reader.cancel()
  return `cut off ${String(cut)}, released ${released}`
}

async function commitInMemory(files: MemoryFiles): Promise<string> {
  const backing = { filename: 'mem:base', format: 'qcow2' }
  await using graph = createBlockGraph({ drivers: [files.driver, rawDriver, qcow2Driver], implicitOpen: 'allow' })
  await graph.create('qcow2', 'mem:base', { size: 2 ** 20, options: { compression_type: 'zstd' } })
  await graph.create('qcow2', 'mem:top', { backing })
  await using top = await graph.open('mem:top', { format: 'qcow2' })
  await createImageSnapshot(top, 'before')
  await top.write(1000, new Uint8Array(100_000).fill(7))
  await top.writeCompressed(2 ** 19, new Uint8Array(65536).fill(8))
  const snapshots = snapshotsOf(top.root).length
  await convertImage(graph, top, { filename: 'mem:copy', format: 'raw' })
  await commitImage(graph, top)
  await using copy = await graph.open('mem:copy', { format: 'raw', readOnly: true })
  return `committed ${(await compareDisks(top, copy)).kind}, ${snapshots} snapshot`
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for await (const chunk of chunksOf(stream)) chunks.push(new Uint8Array(chunk))
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

function sameBytes(found: Uint8Array, expected: Uint8Array): string {
  return found.length === expected.length && found.every((byte, at) => byte === expected[at]) ? 'same' : 'other'
}
