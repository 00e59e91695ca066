/**
 * Proves by random histories on images with extended L2 entries that ours and the reference do the same: played to both
 * with one seed, both disks equal the model, the reference checks ours clean and reads the same from it, ours reads the
 * reference's, and the maps are the same extent by extent.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type BlockBackend, applySnapshot, createSnapshot } from '@blocklayer/block-core'
import { BlockError } from '@blocklayer/block-core/driver'
import { expectSameBytes, MemoryStore, type Random, random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { checkStore, KiB, MiB, openDisk, readAll } from './helpers/disk.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from './helpers/reference.ts'

const count = Number(process.env.HISTORIES ?? 16)
const seeds =
  process.env.SEED === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(process.env.SEED)]

interface Shape {
  readonly clusterSize: number
  readonly size: number
  readonly withBacking: boolean
  readonly snapshots: boolean
  readonly preallocated: boolean
  readonly lazy: boolean
  readonly tightCaches: boolean
}

function shapeOf(seed: number, choose: Random): Shape {
  const clusterSize = [16 * KiB, 64 * KiB, 256 * KiB][seed % 3]!
  return {
    clusterSize,
    // Often no whole number of clusters, or of subclusters.
    size: choose.pick([MiB, MiB + 512, 1.5 * MiB - 37 * 512, 40 * clusterSize]),
    withBacking: choose.chance(0.5),
    snapshots: choose.chance(0.5),
    preallocated: choose.chance(0.3),
    lazy: choose.chance(0.2),
    tightCaches: choose.chance(0.5),
  }
}

/** One request, in the words of qemu-io. */
interface Request {
  readonly kind: 'write' | 'zero' | 'unmap' | 'discard' | 'compressed' | 'snapshot' | 'apply'
  readonly offset: number
  readonly bytes: number
  readonly value: number
}

function makeRequest(choose: Random, { size, clusterSize, snapshots }: Shape, value: number): Request {
  const unit = choose.pick([512, 512, clusterSize / 32, clusterSize / 32, clusterSize])
  const offset = Math.floor(choose.below(size) / unit) * unit
  const most = choose.pick([1, 4, 40, unit === clusterSize ? 5 : 100])
  const bytes = Math.min(size - offset, (1 + choose.below(most)) * unit)
  const action = choose.below(20)
  if (action < 9) return { kind: 'write', offset, bytes, value }
  if (action < 12) return { kind: 'zero', offset, bytes, value: 0 }
  if (action < 14) return { kind: 'unmap', offset, bytes, value: 0 }
  if (action < 17) return { kind: 'discard', offset, bytes, value: 0 }
  const start = Math.floor(offset / clusterSize) * clusterSize
  if (action < 19 || !snapshots) {
    return { kind: 'compressed', offset: start, bytes: Math.min(clusterSize, size - start), value }
  }
  return { kind: choose.chance(0.6) ? 'snapshot' : 'apply', offset: 0, bytes: 0, value }
}

const words: Readonly<Partial<Record<Request['kind'], string>>> = {
  write: 'write',
  zero: 'write -z',
  unmap: 'write -z -u',
  discard: 'discard',
  compressed: 'write -c',
}

/** Plays the requests to the reference; what it refuses is refused by ours as well. */
function playTheirs(image: string, requests: readonly Request[]): void {
  let commands: string[] = []
  const run = (): void => {
    if (commands.length === 0) return
    execFileSync('/usr/bin/qemu-io', ['-d', 'unmap', ...commands.flatMap((command) => ['-c', command]), image], {
      stdio: 'ignore',
    })
    commands = []
  }
  let made = 0
  for (const { kind, offset, bytes, value } of requests) {
    const word = words[kind]
    if (word !== undefined) {
      const pattern = kind === 'write' || kind === 'compressed' ? `-P ${value} ` : ''
      // A compressed write that is refused must not end the others.
      if (kind === 'compressed') run()
      commands.push(`${word} ${pattern}${offset} ${bytes}`)
      if (kind === 'compressed') {
        try {
          run()
        } catch {
          commands = []
        }
      }
      continue
    }
    run()
    if (kind === 'snapshot') expect(qemuImg('snapshot', '-c', `s${++made}`, image).code).toBe(0)
    else if (made > 0) expect(qemuImg('snapshot', '-a', `s${made}`, image).code).toBe(0)
  }
  run()
}

/** Plays the requests to ours and to a model. */
class Player {
  readonly model: Uint8Array
  readonly #disk: BlockBackend
  readonly #kept: Uint8Array[] = []

  constructor(disk: BlockBackend, model: Uint8Array) {
    this.#disk = disk
    this.model = model
  }

  async play({ kind, offset, bytes, value }: Request): Promise<void> {
    const disk = this.#disk
    const range = this.model.subarray(offset, offset + bytes)
    if (kind === 'write') {
      await disk.write(offset, new Uint8Array(bytes).fill(value))
      range.fill(value)
    } else if (kind === 'zero' || kind === 'unmap') {
      await disk.writeZeroes(offset, bytes, { mayUnmap: kind === 'unmap' })
      range.fill(0)
    } else if (kind === 'discard') {
      await disk.discard(offset, bytes)
      // What it shows is for the comparison with the reference to judge; it must stay so.
      await disk.read(offset, range)
    } else if (kind === 'compressed') {
      try {
        await disk.writeCompressed(offset, new Uint8Array(bytes).fill(value))
        range.fill(value)
      } catch (error) {
        if (!(error instanceof BlockError && error.code === 'EIO')) throw error
      }
    } else await this.#snapshot(kind)
  }

  async #snapshot(kind: 'snapshot' | 'apply'): Promise<void> {
    if (kind === 'snapshot') {
      this.#kept.push(this.model.slice())
      await createSnapshot(this.#disk, { name: `s${this.#kept.length}` })
    } else if (this.#kept.length > 0) {
      await applySnapshot(this.#disk, { name: `s${this.#kept.length}` })
      this.model.set(this.#kept.at(-1)!)
    }
  }
}

/** What `map` says, but for the places in the file. */
function theirMap(image: string): unknown[] {
  const text = qemuImg('map', '--output=json', image).out
  const extents = JSON.parse(text) as { start: number; length: number; offset?: number }[]
  return extents.map(({ length, ...rest }) => ({ ...rest, bytes: length }))
}

async function ourMap(disk: BlockBackend): Promise<unknown[]> {
  const extents: unknown[] = []
  for await (const { start, bytes, depth, present, zero, data, hostOffset } of disk.map()) {
    extents.push({ start, depth, present, zero, data, ...(hostOffset !== undefined && { offset: hostOffset }), bytes })
  }
  return extents
}

/** The map with neighbours joined that only their place tells apart. */
function kindsOf(map: unknown[]): unknown[] {
  const joined: { bytes: number; kind: string }[] = []
  for (const extent of map) {
    const { depth, present, zero, data, bytes } = extent as Record<string, number>
    const kind = JSON.stringify({ depth, present, zero, data })
    const last = joined.at(-1)
    if (last?.kind === kind) last.bytes += bytes!
    else joined.push({ bytes: bytes!, kind })
  }
  return joined
}

function referenceBytes(folder: TemporaryFolder, name: string): Uint8Array {
  expect(qemuImg('convert', '-O', 'raw', folder.file(name), folder.file('raw')).code).toBe(0)
  return new Uint8Array(readFileSync(folder.file('raw')))
}

function prepare(folder: TemporaryFolder, { size, clusterSize, withBacking, preallocated, lazy }: Shape): void {
  const backing = folder.file('backing')
  qemuImg('create', '-q', '-f', 'qcow2', backing, String(MiB))
  qemuIo(backing, 'write -P 201 0 300k', 'write -P 202 500k 100k', 'write -P 203 900k 124k')
  const more = `${preallocated ? ',preallocation=metadata' : ''}${lazy ? ',lazy_refcounts=on' : ''}`
  const over = withBacking ? ['-b', backing, '-F', 'qcow2'] : []
  const options = ['-o', `extended_l2=on,cluster_size=${clusterSize}${more}`]
  for (const name of ['ours', 'theirs']) {
    const made = qemuImg('create', '-q', '-f', 'qcow2', ...options, ...over, folder.file(name), String(size))
    expect(made).toMatchObject({ code: 0, err: '' })
  }
}

describeWithReference('histories on extended L2 entries beside the reference', () => {
  test.each(seeds)('seed %i', async (seed) => {
    using folder = new TemporaryFolder()
    const choose = random(seed)
    const shape = shapeOf(seed, choose)
    const requests = Array.from({ length: 40 }, (_, at) => makeRequest(choose, shape, 1 + at))
    const what = `seed ${seed}: ${JSON.stringify(shape)}`
    prepare(folder, shape)
    const stored = (name: string): MemoryStore => new MemoryStore(new Uint8Array(readFileSync(folder.file(name))))
    const store = stored('ours')
    const backing = shape.withBacking ? stored('backing') : undefined
    const tight = { l2CacheSize: 1024, l2CacheEntrySize: 512, refcountCacheSize: 0 }
    const opened = await openDisk(store, { backing, unmap: true, qcow2: shape.tightCaches ? tight : {} })
    const player = new Player(opened.disk, await readAll(opened.disk))
    for (const [at, request] of requests.entries()) {
      await player.play(request)
      expectSameBytes(await readAll(opened.disk), player.model, `${what}: ${at} ${JSON.stringify(request)}`)
    }
    const map = await ourMap(opened.disk)
    await opened.close()
    expect({ what, ...(await checkStore(store)) }).toMatchObject({ what, corruptions: 0, leaks: 0, checkErrors: 0 })
    writeFileSync(folder.file('ours'), store.bytes())
    expect({ what, ...qemuImg('check', folder.file('ours')) }).toMatchObject({ what, code: 0, err: '' })
    expectSameBytes(referenceBytes(folder, 'ours'), player.model, `${what}: ours, as the reference reads it`)
    if (!shape.preallocated)
      expect(map, `${what}: ours, as the reference maps it`).toEqual(theirMap(folder.file('ours')))
    playTheirs(folder.file('theirs'), requests)
    expectSameBytes(referenceBytes(folder, 'theirs'), player.model, `${what}: played to the reference`)
    await using theirs = await openDisk(stored('theirs'), { backing, readOnly: true })
    expectSameBytes(await readAll(theirs.disk), player.model, `${what}: played to the reference, read by ours`)
    const theirKinds = kindsOf(theirMap(folder.file('theirs')))
    expect(kindsOf(theirMap(folder.file('ours'))), `${what}: the same requests, the same map`).toEqual(theirKinds)
  })
})
