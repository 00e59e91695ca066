/**
 * Proves, by playing the same random requests to the reference and to ours, that images with a data file go both ways:
 * content, mapping and check are the same after each round, and a raw data file shows by itself what the guest sees.
 */

import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { BlockBackend } from '@blocklayer/block-core'
import { expectSameBytes, filled, MemoryStore, type Random, random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { KiB, openDisk, readAll } from './helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from './helpers/reference.ts'

const seeds =
  process.env.SEED === undefined ? Array.from({ length: 20 }, (_, index) => index + 1) : [Number(process.env.SEED)]

interface Request {
  readonly kind: 'write' | 'zero' | 'unmap' | 'discard' | 'grow' | 'shrink'
  readonly offset: number
  readonly bytes: number
  readonly value: number
}

/** What a disk is like now; bytes. */
interface Shape {
  readonly size: number
  readonly clusterSize: number
  readonly extendedL2: boolean
}

/** A request somewhere on a disk of `size` bytes; every value is another one. */
function request(choose: Random, { size, clusterSize, extendedL2 }: Shape, value: number): Request {
  const action = choose.below(20)
  if (action === 0) return { kind: 'grow', offset: size + (1 + choose.below(16)) * KiB, bytes: 0, value }
  if (action === 1) return { kind: 'shrink', offset: Math.ceil(size / 2 / KiB) * KiB, bytes: 0, value }
  const unit = choose.chance(0.4) ? clusterSize : extendedL2 && choose.chance(0.6) ? clusterSize / 32 : 512
  const offset = Math.floor(choose.below(size) / unit) * unit
  const bytes = Math.min(size - offset, (1 + choose.below(choose.chance(0.2) ? 30 : 6)) * unit)
  const kinds = ['write', 'write', 'write', 'zero', 'unmap', 'discard'] as const
  return { kind: kinds[action % kinds.length]!, offset, bytes, value }
}

async function ours(disk: BlockBackend, { kind, offset, bytes, value }: Request): Promise<void> {
  if (kind === 'write') await disk.write(offset, filled(value, bytes))
  else if (kind === 'zero' || kind === 'unmap') await disk.writeZeroes(offset, bytes, { mayUnmap: kind === 'unmap' })
  else if (kind === 'discard') await disk.discard(offset, bytes)
  else await disk.truncate(offset)
}

function theirs({ kind, offset, bytes, value }: Request): string {
  if (kind === 'write') return `write -P ${value} ${offset} ${bytes}`
  if (kind === 'zero') return `write -z ${offset} ${bytes}`
  if (kind === 'unmap') return `write -z -u ${offset} ${bytes}`
  return kind === 'discard' ? `discard ${offset} ${bytes}` : `truncate ${offset}`
}

/** What the reference says of an image of ours or of its own. */
function judged(folder: TemporaryFolder, name: string) {
  const opts = `driver=qcow2,file.filename=${folder.file(name)},data-file.filename=${folder.file(`${name}.data`)}`
  const raw = folder.file('content')
  expect(qemuImg('convert', '--image-opts', '-O', 'raw', opts, raw).code).toBe(0)
  const { code, out, err } = qemuImg('check', '--image-opts', opts)
  const map = qemuImg('map', '--output=json', '--image-opts', opts).out
  // Which tables are there, and so how long the file is, is ours to decide.
  const check = out.replace(/Image end offset: \d+/, '')
  return { content: new Uint8Array(readFileSync(raw)), code, check, err, map }
}

describeWithReference('random histories beside the reference', () => {
  test.each(seeds)('data file, seed %i', async (seed) => {
    using folder = new TemporaryFolder()
    const choose = random(seed)
    const extendedL2 = seed > 12
    const clusterSize = (extendedL2 ? [16 * KiB, 64 * KiB, 32 * KiB] : [512, 4 * KiB, 64 * KiB])[seed % 3]!
    const isRaw = seed % 2 === 0
    const withBacking = !isRaw && seed % 4 === 1
    const traits = [extendedL2 ? 'subclusters' : '', isRaw ? 'raw' : '', withBacking ? 'backing' : '']
    const what = `seed ${seed}, clusters of ${clusterSize} ${traits.join(' ')}`
    const image = folder.file('r')
    let size = 32 * clusterSize + KiB
    const backing = folder.file('backing')
    writeFileSync(backing, filled(0xbb, size + 20 * KiB))
    const extra = withBacking ? ['-b', backing, '-F', 'raw'] : []
    const layout = `cluster_size=${clusterSize},extended_l2=${extendedL2 ? 'on' : 'off'}`
    const options = `data_file=${image}.data,data_file_raw=${isRaw ? 'on' : 'off'},${layout}`
    expect(qemuImg('create', '-q', '-f', 'qcow2', ...extra, '-o', options, image, String(size)).code).toBe(0)
    copyFileSync(image, folder.file('o'))
    copyFileSync(`${image}.data`, folder.file('o.data'))
    for (let round = 0; round < 4; round++) {
      const requests: Request[] = []
      for (let step = 0; step < 12; step++) {
        const next = request(choose, { size, clusterSize, extendedL2 }, 1 + ((round * 12 + step) % 180))
        // Reference and ours part on purpose where an overlay grows over its backing file: see docs/differences.md.
        if (withBacking && (next.kind === 'grow' || next.kind === 'shrink')) continue
        if (next.kind === 'grow' || next.kind === 'shrink') size = next.offset
        requests.push(next)
      }
      const commands = requests.flatMap((each) => ['-c', theirs(each)])
      const described = `driver=qcow2,file.filename=${image},data-file.filename=${image}.data`
      execFileSync('/usr/bin/qemu-io', ['-d', 'unmap', ...commands, '--image-opts', described], { encoding: 'utf8' })
      const store = new MemoryStore(new Uint8Array(readFileSync(folder.file('o'))))
      const data = new MemoryStore(new Uint8Array(readFileSync(folder.file('o.data'))))
      const opened = await openDisk(store, {
        data,
        unmap: true,
        ...(withBacking && { rawBacking: new MemoryStore(new Uint8Array(readFileSync(backing))) }),
      })
      for (const each of requests) await ours(opened.disk, each)
      const read = await readAll(opened.disk)
      await opened.close()
      writeFileSync(folder.file('o'), store.bytes())
      writeFileSync(folder.file('o.data'), data.bytes())
      const reference = judged(folder, 'r')
      const own = judged(folder, 'o')
      expectSameBytes(read, reference.content, `${what}, round ${round}: as ours reads it`)
      expectSameBytes(own.content, reference.content, `${what}, round ${round}: as the reference reads it`)
      expect({ what, round, ...own, content: '', map: own.map.replaceAll('o.data', 'r.data') }).toEqual({
        what,
        round,
        ...reference,
        content: '',
      })
      // Both directions: each goes on with what the other has made.
      for (const name of ['', '.data']) {
        copyFileSync(folder.file(`r${name}`), folder.file('swap'))
        copyFileSync(folder.file(`o${name}`), folder.file(`r${name}`))
        copyFileSync(folder.file('swap'), folder.file(`o${name}`))
      }
      if (isRaw) expectSameBytes(data.bytes().subarray(0, size), read, `${what}: the data file alone`)
    }
  })
})
