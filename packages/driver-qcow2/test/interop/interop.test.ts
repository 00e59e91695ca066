/**
 * Proves that images go both ways for each combination of options: made and filled by ours, the reference reads the same
 * bytes and checks clean; made and filled by the reference, ours reads the same, checks clean and goes on writing, and
 * the reference agrees with what came of it.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkStore, newImage, readAll } from '../helpers/disk.ts'
import { describeWithReference, TemporaryFolder } from '../helpers/reference.ts'
import { type BackingKind, backingLengthOf, lengthOf, type Row, rowName, rows } from './matrix.ts'
import {
  applyRequests,
  backingContent,
  emptyModel,
  firstRequests,
  ioCommand,
  laterRequests,
  runsOf,
} from './program.ts'
import { dataName, ourOptions, Round, runOurs, type Stored, theirOptions, withOurs } from './sides.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }

/** What became of a row, on the way there and on the way back. */
interface Outcome {
  /** What went wrong in ours. */
  readonly failure?: unknown
  readonly ours: string
  readonly theirs: string
}

interface Backing {
  readonly kind: BackingKind
  readonly name: string
  readonly content: Uint8Array
  store: MemoryStore
}

/** Rows of one length share their backing files. */
function backingName(row: Row, kind: BackingKind): string {
  return `${kind.format}-${backingLengthOf(row, kind)}`
}

class Matrix {
  readonly #folder = new TemporaryFolder()
  readonly #backings = new Map<string, Backing>()
  readonly #start = new Round(this.#folder.path, 'start')
  readonly #end = new Round(this.#folder.path, 'end')
  readonly #failures = new Map<number, unknown>()

  /** The reference makes and fills its images, ours does both, and the reference looks at all. */
  async play(): Promise<void> {
    for (const row of rows) if (row.backing !== undefined) this.#addBacking(row, row.backing)
    for (const [index, row] of rows.entries()) this.#addTheirs(row, index)
    await this.#start.run()
    for (const [name, backing] of this.#backings) {
      backing.store = new MemoryStore(new Uint8Array(readFileSync(this.#folder.file(name))))
    }
    for (const [index, row] of rows.entries()) {
      try {
        await this.#makeOurs(row, index)
        await this.#goOnWithTheirs(row, index)
      } catch (error) {
        this.#failures.set(index, error)
      }
    }
    await this.#end.run()
  }

  outcome(index: number): Outcome {
    const said = { ours: this.#end.said(`ours${index}`), theirs: this.#end.said(`theirs${index}`) }
    return this.#failures.has(index) ? { failure: this.#failures.get(index), ...said } : said
  }

  remove(): void {
    this.#folder[Symbol.dispose]()
  }

  #addBacking(row: Row, kind: BackingKind): void {
    const name = backingName(row, kind)
    if (this.#backings.has(name)) return
    const length = backingLengthOf(row, kind)
    const content = backingContent(length)
    this.#backings.set(name, { kind, name, content, store: new MemoryStore() })
    if (kind.format === 'raw') {
      writeFileSync(this.#folder.file(name), content)
      return
    }
    this.#start.create(name, `-f qcow2 ${name} ${length}`)
    const requests = runsOf(content)
      .filter(({ value }) => value !== 0)
      .map(({ start, bytes, value }) => ({ kind: 'write' as const, offset: start, bytes, pattern: value }))
    this.#start.use(name, { requests })
  }

  #backingOf(row: Row): Backing | undefined {
    return row.backing === undefined ? undefined : this.#backings.get(backingName(row, row.backing))
  }

  #addTheirs(row: Row, index: number): void {
    const image = `theirs${index}`
    const backing = this.#backingOf(row)
    const over = backing === undefined ? '' : `-b ${backing.name} -F ${backing.kind.format}`
    this.#start.create(image, `-f qcow2 -o ${theirOptions(row, image)} ${over} ${image} ${lengthOf(row)}`)
    this.#start.use(image, { requests: firstRequests(row) })
  }

  async #makeOurs(row: Row, index: number): Promise<void> {
    const backing = this.#backingOf(row)
    const image = `ours${index}`
    const stored = await newStored(row, image, backing)
    const model = emptyModel(row, backing?.content)
    applyRequests(model, firstRequests(row))
    await withOurs(stored, backing, (disk) => runOurs(disk, firstRequests(row)))
    await this.#expectContent(row, stored, model)
    expect(await checkStore(stored.image, stored.data)).toMatchObject(clean)
    this.#put(image, stored)
    this.#end.check(image)
    applyRequests(model, laterRequests(row))
    const before = emptyModel(row, backing?.content)
    applyRequests(before, firstRequests(row))
    this.#end.use(image, { content: runsOf(before) })
    this.#end.use(image, { requests: laterRequests(row), content: runsOf(model) })
    this.#end.check(image)
  }

  async #goOnWithTheirs(row: Row, index: number): Promise<void> {
    const backing = this.#backingOf(row)
    const image = `theirs${index}`
    const stored = this.#get(image, row)
    const model = emptyModel(row, backing?.content)
    applyRequests(model, firstRequests(row))
    expect(await checkStore(stored.image, stored.data)).toMatchObject(clean)
    await this.#expectContent(row, stored, model)
    await withOurs(stored, backing, (disk) => runOurs(disk, laterRequests(row)))
    applyRequests(model, laterRequests(row))
    await this.#expectContent(row, stored, model)
    this.#put(image, stored)
    this.#end.check(image)
    this.#end.use(image, { content: runsOf(model) })
  }

  /** The guest sees `model`, and a raw data file is that by itself; its last cluster may be whole. */
  async #expectContent(row: Row, stored: Stored, model: Uint8Array): Promise<void> {
    expect(runsOf(await withOurs(stored, this.#backingOf(row), readAll))).toEqual(runsOf(model))
    if (row.dataFile === 'raw') expect(runsOf(stored.data!.bytes().subarray(0, model.length))).toEqual(runsOf(model))
  }

  #get(image: string, { dataFile }: Row): Stored {
    const load = (name: string) => new MemoryStore(new Uint8Array(readFileSync(this.#folder.file(name))))
    return { image: load(image), data: dataFile === 'none' ? undefined : load(dataName(image)) }
  }

  #put(name: string, { image, data }: Stored): void {
    writeFileSync(this.#folder.file(name), image.bytes())
    if (data !== undefined) writeFileSync(this.#folder.file(dataName(name)), data.bytes())
  }
}

/** A new image of ours. What lies in its data file where nothing is mapped yet must never show. */
async function newStored(row: Row, image: string, backing: Backing | undefined): Promise<Stored> {
  const length = lengthOf(row)
  const recorded = backing === undefined ? undefined : { filename: backing.name, format: backing.kind.format }
  const isMapped = row.dataFile === 'raw' || row.preallocation !== 'off'
  return {
    image: new MemoryStore(await newImage(length, ourOptions(row, image), recorded)),
    data: row.dataFile === 'none' ? undefined : new MemoryStore(filled(isMapped ? 0 : 0xee, length)),
  }
}

describeWithReference('images go both ways', () => {
  let matrix: Matrix
  beforeAll(async () => {
    matrix = new Matrix()
    await matrix.play()
  }, 600_000)
  afterAll(() => matrix.remove())

  test('there are 150 combinations and more, each once', () => {
    expect(new Set(rows.map(rowName)).size).toBe(rows.length)
    expect(rows.length).toBeGreaterThanOrEqual(150)
  })

  test.each(rows.map((row, index) => [rowName(row), index] as const))('%s', (_, index) => {
    const { failure, ours, theirs } = matrix.outcome(index)
    if (failure !== undefined) throw failure
    expect({ ours, theirs }).toEqual({ ours: '', theirs: '' })
  })
})

test('the requests reach what they are meant for', () => {
  const row = rows.find(({ clusterSize, preallocation }) => clusterSize === 65536 && preallocation === 'off')!
  expect(firstRequests(row).map(ioCommand)).toEqual([
    'write -q -P 11 49152 98304',
    'write -q -P 12 197120 512',
    'write -q -c -P 13 262144 65536',
    'write -q -c -P 14 327680 65536',
    'write -q -c -P 15 393216 65536',
    'write -q -z 32768 65536',
    'write -q -P 16 1309696 512',
  ])
})
