/** Proves that a disk with a data file, grown in any way, is mapped as the reference maps it. */

import { readFileSync, writeFileSync } from 'node:fs'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { checkStore, KiB, MiB, newImage, openDisk } from '../../helpers/disk.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const modes = ['off', 'metadata', 'falloc', 'full'] as const
const kinds = ['plain', 'raw', 'over a longer backing file'] as const
const ends = ['unallocated', 'written', 'zeroed', 'given up'] as const

const cases = modes.flatMap((mode) =>
  kinds.flatMap((kind) => ends.flatMap((end) => [false, true].map((extendedL2) => ({ mode, kind, end, extendedL2 })))),
)

/** What the disk's last cluster, of 64 KiB, is before it grows. */
const before: Readonly<Record<(typeof ends)[number], readonly string[]>> = {
  unallocated: [],
  written: ['write -P 7 64k 512'],
  zeroed: ['write -z 64k 8704'],
  'given up': ['write -z -u 64k 8704'],
}

function mapOf(image: string): unknown {
  const rows = JSON.parse(qemuImg('map', '--output=json', image).out) as Record<string, unknown>[]
  const kindAt = rows.map(({ start, depth, present, zero, data }) => [start, { depth, present, zero, data }] as const)
  // Rows are split where the place in the file jumps.
  return kindAt.filter(([, kind], at) => JSON.stringify(kind) !== JSON.stringify(kindAt[at - 1]?.[1]))
}

describeWithReference('beside the reference', () => {
  test.each(cases)(
    '$mode, $kind, last cluster $end, subclusters: $extendedL2',
    async ({ mode, kind, end, extendedL2 }) => {
      using folder = new TemporaryFolder()
      const backing = filled(0xbb, MiB)
      writeFileSync(folder.file('backing'), backing)
      const image = folder.file('i')
      const withBacking = kind === 'over a longer backing file'
      const over = withBacking ? ['-b', folder.file('backing'), '-F', 'raw'] : []
      const subclusters = `extended_l2=${extendedL2 ? 'on' : 'off'}`
      const options = `${subclusters},data_file=${image}.data,data_file_raw=${kind === 'raw' ? 'on' : 'off'}`
      qemuImg('create', '-q', '-f', 'qcow2', '-o', options, ...over, image, String(64 * KiB + 8704))
      const file = { driver: 'file', filename: image }
      qemuIo(`json:${JSON.stringify({ driver: 'qcow2', discard: 'unmap', file })}`, ...before[end])
      const load = (name: string) => new MemoryStore(new Uint8Array(readFileSync(name)))
      const [store, data] = [load(image), load(`${image}.data`)]
      expect(qemuImg('resize', '-q', `--preallocation=${mode}`, image, String(512 * KiB)).code).toBe(0)
      const theirs = { map: mapOf(image), content: qemuImg('convert', '-O', 'raw', image, folder.file('theirs')).code }
      await using opened = await openDisk(store, { data, ...(withBacking && { rawBacking: new MemoryStore(backing) }) })
      await opened.disk.truncate(512 * KiB, { preallocation: mode })
      await opened.close()
      writeFileSync(image, store.bytes())
      writeFileSync(`${image}.data`, data.bytes())
      expect(await checkStore(store, data)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 })
      const ours = { map: mapOf(image), content: qemuImg('convert', '-O', 'raw', image, folder.file('ours')).code }
      expect(readFileSync(folder.file('ours')).equals(readFileSync(folder.file('theirs')))).toBe(true)
      expect(ours).toEqual(theirs)
    },
  )
})

// The reference lengthens it to a whole cluster when it maps it.
test('a raw data file is as long as its disk, and no longer', async () => {
  const store = new MemoryStore(await newImage(MiB, { dataFile: 'data', dataFileRaw: true }))
  const data = new MemoryStore(MiB)
  await using opened = await openDisk(store, { data })
  await opened.disk.truncate(6000128)
  expect(data.length).toBe(6000128)
  await opened.disk.write(6000128 - 512, filled(5, 512))
  await opened.close()
  expect(data.length).toBe(6000128)
  expect(await checkStore(store, data)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 })
})
