/** Proves how preallocate is opened, and that below a qcow2 image it asks the file for what the reference asks for. */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type PreallocateOptions, preallocateDriver } from '../src/index.ts'
import { filled, NotingStore, openBelowFormat, reference, withoutReference } from './support.ts'

const complaints: readonly (readonly [Record<string, string>, string])[] = [
  [{}, 'A block device must be specified for "file"'],
  [{ 'prealloc-align': '1' }, 'A block device must be specified for "file"'],
  [{ file: 'disk', 'prealloc-align': '1' }, 'prealloc-align parameter of preallocate filter is not aligned to 512'],
  [{ file: 'disk', 'prealloc-align': '1000' }, 'prealloc-align parameter of preallocate filter is not aligned to 512'],
  [{ file: 'disk', foo: '1' }, "Block format 'preallocate' does not support the option 'foo'"],
  [{ file: 'disk', 'prealloc-size': '-1' }, "Parameter 'prealloc-size' expects a non-negative number below 2^64"],
  [{ file: 'disk', 'prealloc-size': '1', 'prealloc-align': '0' }, ''],
]

describe('options', () => {
  test.each(complaints)('%o', async (options, message) => {
    const graph = createBlockGraph({ drivers: [preallocateDriver], implicitOpen: 'deny' })
    onTestFinished(() => graph.close())
    await graph.open({ ...memory(new MemoryStore(4096)), nodeName: 'disk' })
    const opening = graph.open(new Map(Object.entries({ driver: 'preallocate', ...options })))
    if (message === '') await opening
    else await expect(opening).rejects.toMatchObject({ code: 'EINVAL', message })
  })

  test.skipIf(withoutReference)('needs qemu-io: the reference says the same of each', () => {
    const theirs = complaints.map(([{ file, ...options }]) => {
      const given = { driver: 'preallocate', ...options, ...(file === undefined ? {} : { 'file.driver': 'null-co' }) }
      const text = Object.entries(given).map(([name, value]) => `${name}=${value}`)
      const [line] = reference('qemu-io', '--image-opts', text.join(','), '-c', 'q').split('\n')
      return line?.replace("qemu-io: can't open: ", '')
    })
    expect(theirs).toEqual(complaints.map(([, message]) => message))
  })
})

/** A request in the reference's trace: the node it reaches, what it is, and where. */
interface Traced {
  readonly node: string
  readonly kind: 'read' | 'write' | 'zero'
  readonly offset: number
  readonly bytes: number
}

function traced(output: string): Traced[] {
  const lines = output.matchAll(
    /bdrv_co_(preadv_part|pwritev_part|pwrite_zeroes) bs (\S+) offset (\d+) bytes (\d+) flags (0x\w+)/g,
  )
  return [...lines].flatMap(([, call, node, offset, bytes, flags]) => {
    // A zero write is announced twice, the second time with its flag (2).
    if (call === 'pwritev_part' && (Number(flags) & 2) !== 0) return []
    const kind = call === 'preadv_part' ? 'read' : call === 'pwritev_part' ? 'write' : 'zero'
    return [{ node: node!, kind, offset: Number(offset), bytes: Number(bytes) }] as const
  })
}

const KiB = 1024
const small: PreallocateOptions = { preallocSize: 1024 * KiB, preallocAlign: 64 * KiB }

describe.each([
  {
    name: 'small steps',
    options: small,
    commands: ['write 0 4k', 'write 66k 4k', 'write 1M 2M', 'write 4M 64k', 'write 5M 900k'],
  },
  {
    name: 'no steps',
    options: { preallocSize: 0, preallocAlign: 64 * KiB },
    commands: ['write 0 4k', 'write 66k 4k', 'write 1M 2M'],
  },
  {
    name: 'odd steps',
    options: { preallocSize: 1000, preallocAlign: 1536 },
    commands: ['write 0 4k', 'write 66k 4k', 'write 1M 200k'],
  },
  {
    name: 'the default',
    options: {},
    commands: ['write 0 4k', 'write 64k 64k', 'write 1M 1M', 'flush', 'write 20M 5'],
  },
  {
    name: 'zeroes over data',
    options: small,
    commands: ['write 0 4k', 'write 66k 4k', 'write -z 64k 64k', 'write -zu 0 64k', 'write 1M 4k', 'write 700k 1'],
  },
])('$name', ({ options, commands }) => {
  // The requests that qcow2 sent to the filter there are sent to ours; the file must see the same.
  test.skipIf(withoutReference)('needs qemu-io: the file sees the same requests', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'blocklayer-preallocate-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const image = join(folder, 'image.qcow2')
    reference('qemu-img', 'create', '-q', '-f', 'qcow2', image, '1G')
    const store = new NotingStore(readFileSync(image))
    const size = options.preallocSize === undefined ? '' : `,file.prealloc-size=${options.preallocSize}`
    const align = options.preallocAlign === undefined ? '' : `,file.prealloc-align=${options.preallocAlign}`
    const text = `driver=qcow2,file.driver=preallocate${size}${align},file.file.driver=file,file.file.filename=${image}`
    const actions = commands.flatMap((command) => ['-c', command])
    const requests = traced(
      reference('qemu-io', '-t', 'writeback', '-T', 'bdrv_co_p*', '--image-opts', text, ...actions),
    )
    // The header is the first thing that is read: through the filter, then from the file.
    const [filter, below] = requests.map(({ node }) => node)
    const changes = (node: string | undefined) =>
      requests.filter((request) => request.node === node && request.kind !== 'read')

    const { file, format } = await openBelowFormat(store, options)
    for (const { kind, offset, bytes } of changes(filter)) {
      await (kind === 'zero'
        ? file.writeZeroes(offset, bytes, { noFallback: true })
        : file.write(offset, filled(1, bytes)))
    }
    const theirs = changes(below).map(({ kind, offset, bytes }) => `${kind} ${offset} ${bytes}`)
    expect(theirs.some((line) => line.startsWith('zero'))).toBe(true)
    expect(store.take()).toEqual(theirs)
    await format.close()
    expect(store.length).toBe(statSync(image).size)
  })
})
