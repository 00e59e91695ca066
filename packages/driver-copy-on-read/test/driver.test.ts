/** Proves over real chains what ends up in the image, the same as in the reference's, and how a bottom is chosen. */

import { join } from 'node:path'
import { moveUsers, reopenReadOnly } from '@blocklayer/block-core'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { copyOnRead, copyOnReadDriver } from '../src/index.ts'
import { asText, makeChain, newGraph, reference, temporaryFolder, withoutReference } from './support.ts'

const KiB = 1024
const reads = [0, 256 * KiB, 512 * KiB, 700_001]

/** What each of `reads` gives. */
const values = [1, 2, 3, 1]

/** Clusters of `d.qcow2` that hold data, in KiB; as our own map says. */
async function allocated(folder: string): Promise<number[]> {
  const disk = await newGraph().open(join(folder, 'd.qcow2'), { format: 'qcow2', readOnly: true })
  const found: number[] = []
  for await (const extent of disk.map()) if (extent.depth === 0 && extent.data) found.push(extent.start / KiB)
  await disk.close()
  return found
}

/** Clusters of `d.qcow2` that hold data, in KiB; as the reference's map says. */
function allocatedThere(folder: string): number[] {
  const map = JSON.parse(reference('qemu-img', 'map', '--output=json', join(folder, 'd.qcow2'))) as {
    start: number
    depth: number
  }[]
  return map.filter(({ depth }) => depth === 0).map(({ start }) => start / KiB)
}

describe.each([
  { bottom: undefined, copied: [0, 256, 512, 640] },
  { bottom: 'base', copied: [0, 256, 512, 640] },
  { bottom: 'b', copied: [256, 512] },
  { bottom: 'c', copied: [512] },
])('bottom $bottom', ({ bottom, copied }) => {
  const extra = bottom === undefined ? {} : { bottom }

  test('what was read of the chain down to it is in the image', async () => {
    const folder = temporaryFolder()
    const options = await makeChain(folder)
    const disk = await newGraph().open(new Map(Object.entries({ ...options, ...extra })))
    for (const [i, offset] of reads.entries()) {
      const into = new Uint8Array(5000)
      await disk.read(offset, into)
      expect(new Set(into)).toEqual(new Set([values[i]]))
    }
    const parts = [new Uint8Array(1000), new Uint8Array(3000)]
    await disk.read(512 * KiB + 60_000, parts)
    expect(parts.map((part) => new Set(part))).toEqual([new Set([3]), new Set([3])])
    await disk.close()
    expect(await allocated(folder)).toEqual(copied)
  })

  test.skipIf(withoutReference)('needs qemu-io: so it is in the reference', async () => {
    const folder = temporaryFolder()
    const options = await makeChain(folder)
    const commands = reads.flatMap((offset, i) => ['-c', `read -P ${values[i]} ${offset} 5000`])
    const output = reference('qemu-io', '--image-opts', asText({ ...options, ...extra }), ...commands)
    expect(output).not.toMatch(/failed|can't/)
    expect(allocatedThere(folder)).toEqual(copied)
  })
})

test('an image that is its own bottom keeps nothing', async () => {
  const folder = temporaryFolder()
  const options = await makeChain(folder)
  const disk = await newGraph().open(new Map(Object.entries({ ...options, 'file.node-name': 'd', bottom: 'd' })))
  for (const offset of reads) await disk.read(offset, new Uint8Array(5000))
  await disk.close()
  expect(await allocated(folder)).toEqual([])
})

test('the chain stays together down to the bottom, until the node is closed', async () => {
  const folder = temporaryFolder()
  const options = await makeChain(folder)
  const graph = newGraph()
  const disk = await graph.open(new Map(Object.entries({ ...options, 'file.node-name': 'd', bottom: 'b' })))
  const d = disk.root.children.get('file')
  const [c, b] = [d?.backing, d?.backing?.backing]
  const other = await graph.open({ ...memory(new MemoryStore(1024 * KiB)), readOnly: true })
  await expect(moveUsers(c!, other.root)).rejects.toThrow("Cannot change 'backing' link to 'c'")
  await expect(moveUsers(b!, other.root)).rejects.toThrow("Cannot change 'backing' link to 'b'")
  const again = new Map(Object.entries({ driver: 'copy-on-read', file: 'd', bottom: 'b' }))
  await expect(graph.open(again)).rejects.toMatchObject({ message: "Cannot change 'backing' link from 'd' to 'c'" })
  const reader = graph.backend(d!, { permissions: { taken: 1, shared: 15 } })
  await disk.close()
  await moveUsers(c!, other.root)
  await reader.close()
})

const complaints: readonly (readonly [Record<string, string>, string])[] = [
  [{ bottom: 'nope' }, "Bottom node 'nope' not found"],
  [{ bottom: '' }, "Bottom node '' not found"],
  [{ bottom: 'me' }, "Bottom node 'me' is a filter"],
  [{ 'read-only': 'on' }, 'Block node is read-only'],
  [{ foo: '1' }, "Block format 'copy-on-read' does not support the option 'foo'"],
]

describe('refused', () => {
  test.each(complaints)('%o', async (extra, message) => {
    const options = { ...(await makeChain(temporaryFolder())), 'node-name': 'me', ...extra }
    await expect(newGraph().open(new Map(Object.entries(options)))).rejects.toMatchObject({ message })
  })

  test.skipIf(withoutReference)('needs qemu-io: the reference says the same', async () => {
    const options = await makeChain(temporaryFolder())
    const theirs = complaints.map(([extra]) => {
      const output = reference(
        'qemu-io',
        '--image-opts',
        asText({ ...options, 'node-name': 'me', ...extra }),
        '-c',
        'q',
      )
      return output.trim().replace("qemu-io: can't open: ", '')
    })
    expect(theirs).toEqual(complaints.map(([, message]) => message))
  })

  // The reference takes it, and then hangs for ever in the first read.
  test('a bottom that is not in the chain', async () => {
    const graph = newGraph()
    await graph.open({ ...memory(new MemoryStore(512)), nodeName: 'elsewhere' })
    const options = { ...(await makeChain(temporaryFolder())), 'node-name': 'me', bottom: 'elsewhere' }
    await expect(graph.open(new Map(Object.entries(options)))).rejects.toMatchObject({
      code: 'EINVAL',
      message: "Node 'elsewhere' is not in the backing chain of 'me'",
    })
  })

  test('no file', async () => {
    await expect(newGraph().open(new Map([['driver', 'copy-on-read']]))).rejects.toMatchObject({
      message: 'A block device must be specified for "file"',
    })
  })

  test('switching the mode', async () => {
    const disk = await newGraph().open(copyOnRead({ file: memory(new MemoryStore(512)) }))
    await expect(reopenReadOnly(disk.root, true)).rejects.toThrow(
      `Block format 'copy-on-read' used by node '${disk.root.nodeName}' does not support reopening files`,
    )
  })
})

test('an ejected node is no bottom', async () => {
  const gone = { nodeName: 'gone', ejected: true, driverKind: 'format' }
  const context = { attach: async () => ({}), findNode: () => gone }
  await expect(copyOnReadDriver.open(context as never, { bottom: 'gone' })).rejects.toThrow(
    "Bottom node 'gone' not opened",
  )
})
