/**
 * Proves that extended L2 entries which contradict themselves are told as the reference tells them: by its check, which
 * mends the same, and by reads and writes, of which the same go through.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { BlockError } from '@blocklayer/block-core/driver'
import { expectSameBytes, filled, MemoryStore } from '@blocklayer/block-core/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkByOurs } from './damage/ours.ts'
import { Damaged } from './helpers/damage.ts'
import { KiB, MiB, newImage, openDisk } from './helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from './helpers/reference.ts'

/** What is done to entry `entry`: its words, where they change. */
interface Damage {
  readonly name: string
  readonly entry: number
  readonly word?: (old: bigint) => bigint
  readonly bitmap?: bigint
}

const copied = 1n << 63n
const unaligned = (old: bigint): bigint => old + 512n

const damages: readonly Damage[] = [
  { name: 'a subcluster that is allocated and zero', entry: 0, bitmap: 0x00000001ffffffffn },
  { name: 'another one that is', entry: 1, bitmap: 0x0000000200000003n },
  { name: 'an allocated subcluster of an unallocated cluster', entry: 3, bitmap: 0x0000000300000001n },
  { name: 'an allocated subcluster of nothing', entry: 9, bitmap: 1n },
  { name: 'a compressed cluster with a bitmap', entry: 2, bitmap: 1n },
  { name: 'an unaligned cluster with data', entry: 1, word: unaligned },
  { name: 'an unaligned cluster of zeroes', entry: 1, word: unaligned, bitmap: 0x0000000300000000n },
  { name: 'an unaligned cluster without content', entry: 1, word: unaligned, bitmap: 0n },
  { name: 'an unaligned cluster with a contradiction', entry: 1, word: unaligned, bitmap: 0x0000000100000001n },
  { name: 'the zero flag of plain entries', entry: 1, word: (old) => old | 1n },
  { name: 'the zero flag of plain entries over nothing', entry: 9, word: () => 1n },
  { name: 'a reserved bit', entry: 1, word: (old) => old | 2n },
  { name: 'COPIED in a compressed entry', entry: 2, word: (old) => old | copied },
  { name: 'no COPIED in an entry', entry: 0, word: (old) => old & ~copied },
  { name: 'a cluster of somebody else', entry: 1, word: (old) => old - 65536n },
]

async function soundImage(): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(MiB, { extendedL2: true }))
  const { disk, close } = await openDisk(store)
  await disk.write(0, filled(1, 64 * KiB))
  await disk.write(64 * KiB, filled(2, 2 * KiB))
  await disk.writeCompressed(128 * KiB, filled(3, 64 * KiB))
  await disk.writeZeroes(192 * KiB, 4 * KiB)
  await close()
  return store.bytes()
}

function damaged(image: Uint8Array, { entry, word, bitmap }: Damage): Uint8Array {
  const victim = new Damaged(image.slice())
  // Entries are twice as long as those that `l2` counts.
  const place = victim.l2(2 * entry)
  if (word !== undefined) victim.set(place, word(victim.get(place)))
  if (bitmap !== undefined) victim.set(place + 8, bitmap)
  return victim.bytes
}

/** Requests, as qemu-io takes them. */
const requests = [
  'read 0 256k',
  'read 64k 4k',
  'read 192k 64k',
  'write 0 1k',
  'write 0 64k',
  'write 0 128k',
  'write 64k 1k',
  'write 70k 1k',
  'write 130k 1k',
  'write 192k 1k',
  'write -z 64k 2k',
  'write -z 128k 2k',
  'write -z -u 0 256k',
  'discard 0 256k',
  'write 576k 1k',
] as const

const bytesOf = (text: string): number => Number.parseInt(text, 10) * (text.endsWith('k') ? KiB : 1)

/** Does the request on ours. @returns what is told about it: diagnostics, then the error */
async function askOurs(image: Uint8Array, request: string): Promise<string[]> {
  const { disk, lines, close } = await openDisk(new MemoryStore(image), { unmap: true })
  const [verb, ...rest] = request.split(' ')
  const [offset, bytes] = rest.slice(-2).map(bytesOf) as [number, number]
  const run = (): Promise<void> => {
    if (verb === 'read') return disk.read(offset, new Uint8Array(bytes))
    if (verb === 'discard') return disk.discard(offset, bytes)
    if (rest.includes('-z')) return disk.writeZeroes(offset, bytes, { mayUnmap: rest.includes('-u') })
    return disk.write(offset, filled(0xcd, bytes))
  }
  const told: string[] = []
  await run().catch((error: BlockError) => told.push(`${verb} failed: ${error.message}`))
  // An image found corrupt takes no writes any more, not even those of its end.
  await close().catch((error: unknown) => expect(error).toBeInstanceOf(BlockError))
  return [...lines, ...told]
}

function askTheirs(path: string, request: string): string[] {
  const { stderr, stdout } = spawnSync('/usr/bin/qemu-io', ['-d', 'unmap', '-c', request, path], { encoding: 'utf8' })
  const failures = `${stderr}\n${stdout}`.split('\n').filter((line) => /corrupt:|failed/.test(line))
  return failures.map((line) => line.replace(/^qemu-io: /, ''))
}

const theirCheck = (path: string, repair: boolean) => {
  const { code, out, err } = qemuImg('check', '--output=json', ...(repair ? ['-r', 'all'] : []), path)
  const counts = Object.entries(JSON.parse(out) as Record<string, unknown>)
  return {
    code,
    counts: Object.fromEntries(counts.filter(([, count]) => typeof count === 'number' && count !== 0)),
    lines: err.split('\n').filter((line) => line !== ''),
  }
}

describeWithReference.each(damages)('$name', (damage) => {
  let image: Uint8Array
  beforeAll(async () => {
    image = damaged(await soundImage(), damage)
  })

  test('the check', async () => {
    using folder = new TemporaryFolder()
    for (const repair of [false, true]) {
      for (const name of ['ours', 'theirs']) writeFileSync(folder.file(name), image)
      const ours = await checkByOurs(folder.file('ours'), repair)
      const theirs = theirCheck(folder.file('theirs'), repair)
      expect({ repair, ...ours }).toEqual({ repair, ...theirs })
      const after = ['ours', 'theirs'].map((name) => new Uint8Array(readFileSync(folder.file(name))))
      expectSameBytes(after[0]!, after[1]!, `repair: ${repair}`)
    }
  })

  test.each(requests)('%s', async (request) => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.file('theirs'), image)
    expect(await askOurs(image, request)).toEqual(askTheirs(folder.file('theirs'), request))
  })
})

describe('messages', () => {
  test('reads and writes tell of an invalid entry in different words', async () => {
    const image = damaged(await soundImage(), damages[0]!)
    const place = '(L2 offset: 0x40000, L2 index: 0); further corruption events will be suppressed'
    const marking = 'qcow2: Marking image as corrupt: Invalid cluster entry found'
    expect(await askOurs(image, 'read 0 1k')).toEqual([`${marking}  ${place}`, 'read failed: Input/output error'])
    expect(await askOurs(image, 'write 0 1k')).toEqual([`${marking} ${place}`, 'write failed: Input/output error'])
  })

  test('what cannot be written over an invalid entry leaves nothing allocated', async () => {
    const image = damaged(await soundImage(), damages[3]!)
    const store = new MemoryStore(image)
    const { disk, close } = await openDisk(store)
    await expect(disk.write(576 * KiB, filled(1, KiB))).rejects.toMatchObject({ code: 'EIO' })
    await close().catch((error: unknown) => expect(error).toBeInstanceOf(BlockError))
    // All but the header, which is marked.
    expectSameBytes(store.bytes().subarray(65536, image.length), image.subarray(65536), 'after the write')
  })
})
