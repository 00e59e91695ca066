/**
 * Proves that an image which gets another backing file reads the same at every instant: whatever subset of the sectors
 * written since the last flush a power cut keeps, the image opens, shows what it showed, and has leaks at most.
 */

import { type BlockGraph, createBlockGraph, rebaseImage } from '@blocklayer/block-core'
import { MemoryFiles, type MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { qcow2Driver } from '../../src/index.ts'

const KiB = 1024
const size = 32 * KiB

interface World {
  readonly files: MemoryFiles
  readonly graph: BlockGraph
}

function world(stores: Iterable<readonly [string, MemoryStore]> = []): World {
  const files = new MemoryFiles({ newStore: (bytes) => new PowerLossStore(bytes) })
  for (const [name, store] of stores) files.stores.set(name, store)
  return { files, graph: createBlockGraph({ drivers: [files.driver, qcow2Driver], implicitOpen: 'allow' }) }
}

async function make(
  { graph }: World,
  name: string,
  options: Record<string, string | number>,
  writes: readonly (readonly [offset: number, bytes: number, value: number])[],
): Promise<void> {
  await graph.create('qcow2', `mem:${name}`, { size, options: { cluster_size: 4096, ...options } })
  await using disk = await graph.open(`mem:${name}`, { format: 'qcow2' })
  for (const [offset, bytes, value] of writes) await disk.write(offset * KiB, new Uint8Array(bytes * KiB).fill(value))
}

async function read(graph: BlockGraph, name: string): Promise<Uint8Array> {
  await using disk = await graph.open(`mem:${name}`, { format: 'qcow2', readOnly: true })
  const bytes = new Uint8Array(disk.length)
  await disk.read(0, bytes)
  return bytes
}

const longName = `mem:${'other'.padEnd(700, '_')}`

describe.each([
  ['clusters of 4 KiB', { cluster_size: 4096 }],
  ['clusters of 64 KiB, with the table of feature names', { cluster_size: 65536 }],
  ['version 2', { cluster_size: 4096, compat: '0.10' }],
] as const)('%s', (_, options) => {
  test.each([
    ['another file', 'mem:other', false],
    ['another file, the record only', 'mem:twin', true],
    ['a file of the same length of name', 'mem:othr', false],
    ['a file with a long name', longName, false],
    ['an image of its chain', 'mem:base', false],
    ['nothing', undefined, false],
  ] as const)('onto %s', async (_title, filename, unsafe) => {
    const at = world()
    await make(at, 'base', {}, [[0, 32, 1]])
    await make(at, 'twin', {}, [[0, 32, 1]])
    await make(at, 'other', {}, [
      [0, 16, 1],
      [16, 8, 9],
    ])
    at.files.stores.set('othr', at.files.stores.get('other')!)
    at.files.stores.set(longName.slice(4), at.files.stores.get('other')!)
    const over = { backing_file: 'mem:base', backing_fmt: 'qcow2', ...options }
    await make(at, 'top', over, [[4, 4, 2]])
    const before = await read(at.graph, 'top')
    const store = new PowerLossStore(at.files.stores.get('top')!.bytes())
    at.files.stores.set('top', store)
    {
      await using disk = await at.graph.open('mem:top', { format: 'qcow2', noBacking: unsafe })
      await rebaseImage(at.graph, disk, {
        unsafe,
        ...(filename === undefined ? {} : { backing: { filename, format: 'qcow2' } }),
      })
    }
    expect(await read(at.graph, 'top')).toEqual(before)
    let states = 0
    for (const state of store.crashStates({ tear: 512, exhaustive: 5, samples: 4 })) {
      states++
      const after = world([...at.files.stores, ['top', state.store]])
      expect(await read(after.graph, 'top'), state.name).toEqual(before)
      await using disk = await after.graph.open('mem:top', { format: 'qcow2', readOnly: true, check: true })
      expect(await disk.check(), state.name).toMatchObject({ corruptions: 0, checkErrors: 0 })
    }
    expect(states).toBeGreaterThan(2)
    await at.graph.close()
  })
})
