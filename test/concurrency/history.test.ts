// Proves that the model sees what a careless driver does: neighbours' bytes lost, old content shown, cells torn.
import {
  type BlockDriver,
  type Child,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
} from '@blocklayer/block-core/driver'
import { type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import { MemoryStore, memory, random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { Cells, mixed } from './cells.ts'
import { History } from './history.ts'

const block = 4096
const length = 16 * block

/** Takes whole blocks around each request, but lets others write to them between its read and its write. */
const carelessDriver: BlockDriver<{ readonly file?: ChildSpec }> = defineDriver<{ readonly file?: ChildSpec }>({
  formatName: 'careless',
  kind: 'filter',
  options: { file: { name: 'file', type: 'node', help: 'what is shown' } },
  async open(context, options) {
    const file: Child = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return {
      get length() {
        return file.length
      },
      read: (offset, into) => file.read(offset, into),
      writer: {
        async write(offset, data) {
          const start = offset - (offset % block)
          const around = new Uint8Array(Math.ceil((offset + data.length) / block) * block - start)
          await file.read(start, around)
          around.set(data, offset - start)
          await file.write(start, around)
        },
      },
      close: async () => {},
    }
  },
})

async function hammer(node: NodeSpec, seed: number): Promise<void> {
  const choose = random(seed)
  const cells = new Cells('odd', length, choose)
  const history = new History(cells, 0, { mayMix: false })
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk: BlockBackend = await graph.open(node)
  let value = 0
  const step = async (): Promise<void> => {
    const first = choose.below(cells.count - 10)
    const end = first + 1 + choose.below(5)
    if (!history.hasRoom(first, end)) return
    if (choose.chance(0.5)) {
      const write = history.begin('write', first, end, ++value)
      await disk.write(cells.start(first), cells.encode(first, end, write.value))
      history.finish(write)
    } else {
      const read = history.begin('read', first, end, 0)
      const into = new Uint8Array(cells.start(end) - cells.start(first))
      await disk.read(cells.start(first), into)
      history.finish(read, into)
    }
  }
  const work = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) await step()
  }
  await Promise.all(Array.from({ length: 16 }, work))
  history.verify()
}

test('neighbours that an unserialised read-modify-write loses', async () => {
  const careless = nodeSpec(carelessDriver, { file: memory(new MemoryStore(length)) })
  await expect(hammer(careless, 1)).rejects.toThrow('no serial order explains')
  await hammer(memory(new MemoryStore(length), { requestAlignment: block }), 1)
})

describe('cells', () => {
  const cells = new Cells('odd', 4096, random(3))

  test('cover the disk, do not cross sectors, and say what they hold', () => {
    expect([cells.start(0), cells.start(cells.count)]).toEqual([0, 4096])
    for (let cell = 0; cell < cells.count; cell++) {
      const [start, end] = [cells.start(cell), cells.start(cell + 1)]
      expect(end - start).toBeGreaterThanOrEqual(5)
      expect(Math.floor(start / 512)).toBe(Math.floor((end - 1) / 512))
    }
    const bytes = cells.encode(2, 9, 0x12345678)
    const decoded = [2, 5, 8].map((cell) => cells.decode(cell, bytes, cells.start(2)))
    expect(decoded).toEqual([0x12345678, 0x12345678, 0x12345678])
    expect(cells.decode(4, cells.encode(4, 5, 0), cells.start(4))).toBe(0)
  })

  test('a wrong byte or a wrong place is a mixture', () => {
    const bytes = cells.encode(2, 4, 77)
    bytes[4] = bytes[4]! + 1
    expect(cells.decode(2, bytes, cells.start(2))).toBe(mixed)
    const sectors = new Cells('sectors', 4096, random(3))
    expect(sectors.decode(0, sectors.encode(1, 2, 77), 0)).toBe(mixed)
  })
})

describe('mixtures', () => {
  const cells = new Cells('sectors', 4096, random(1))
  const torn = cells.encode(0, 1, 1)
  torn.set(cells.encode(0, 1, 2).subarray(256), 256)

  function read(mayMix: boolean, isBeside: boolean, shown: Uint8Array): History {
    const history = new History(cells, 0, { mayMix })
    history.finish(history.begin('write', 0, 1, 1))
    const write = history.begin('write', 0, 1, 2)
    if (!isBeside) history.finish(write)
    const reading = history.begin('read', 0, 1, 0)
    history.finish(reading, shown)
    if (isBeside) history.finish(write)
    return history
  }

  test('are allowed where the storage may tear, beside a write, if all bytes are somebody’s', () => {
    const history = read(true, true, torn)
    history.verify()
    expect(history.mixtures).toBe(1)
    expect(() => read(false, true, torn).verify()).toThrow('is a mixture of several contents')
    expect(() => read(true, false, torn).verify()).toThrow('is a mixture of several contents')
    const garbage = torn.slice()
    garbage[300] = garbage[300]! ^ 0x55
    expect(() => read(true, true, garbage).verify()).toThrow('which nobody wrote there')
  })
})
