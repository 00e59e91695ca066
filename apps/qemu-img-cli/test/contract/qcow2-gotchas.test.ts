// Proves, beside the reference, what is surprising about qcow2 images as qemu-img checks, mends and changes them: the
// numbers are those of docs/qcow2-gotchas.md. What is on disk afterwards is compared byte by byte where it is shown.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference } from '../support/tools.ts'
import { compareRuns, makeTwins, removeTwins, type Twins } from '../support/twins.ts'
import { images } from './images.ts'
import { maskDiskSize, words } from './run-table.ts'

interface Gotcha {
  readonly number: number
  readonly title: string
  readonly prepare: string
  readonly line: string
  /** Shell lines that show what is on disk afterwards. */
  readonly show?: string
  readonly anyLayout?: true
}

/** Makes an image `g`: header, refcount table, refcount block and L1 table in clusters 0 to 3, each of 64 KiB. */
const make = (options = 'compat=1.1', size = '1M'): string => `qemu-img create -q -f qcow2 -o ${options} g ${size}`
const io = (...commands: readonly string[]): string =>
  `qemu-io ${commands.map((each) => `-c '${each}'`).join(' ')} g >&2`

/** Puts bytes, in hexadecimal digits, into `g`. */
function poke(offset: number, hex: string): string {
  const bytes = hex
    .replaceAll(' ', '')
    .match(/../g)!
    .map((byte) => `\\${Number.parseInt(byte, 16).toString(8).padStart(3, '0')}`)
  return `printf '${bytes.join('')}' | dd of=g bs=1 seek=${offset} conv=notrunc status=none`
}

/** Prints words of `bytes` bytes at an offset of `g`. */
const dump = (offset: number, count: number, bytes = 8): string =>
  `od -An -v -tx${bytes} --endian=big -j ${offset} -N ${count * bytes} g`

const lines = (...all: readonly string[]): string => all.join('\n')
/** An image with one cluster of data: its L2 table is cluster 4, the data cluster 5. */
const filled = lines(make(), io('write -P 1 0 64k'))
const l1 = 0x30000
const l2 = 0x40000
const refblock = 0x20000
const header = dump(0, 15)
const tables = lines(header, dump(l1, 1), dump(l2, 20), dump(refblock, 20, 2), 'stat -c %s g')

const gotchas: readonly Gotcha[] = [
  {
    number: 3,
    title: 'COPIED beside a count of two, and none beside a count of one, are corruptions',
    prepare: lines(filled, poke(l2, '0000000000050000'), poke(refblock + 8, '0002')),
    line: 'check g',
  },
  {
    number: 4,
    title: 'a snapshot’s L1 table keeps flags that are no longer true, and no check says so',
    prepare: lines(filled, 'qemu-img snapshot -c s g', io('write -P 2 0 64k')),
    line: 'check g',
    show: lines(dump(l1, 1), dump(6 * 65536, 1), dump(refblock, 20, 2)),
  },
  {
    number: 5,
    title: 'reserved bits of entries are reported, and never mended',
    prepare: lines(filled, poke(l1, '8100000000040000'), poke(l2, '8000000000050002')),
    line: 'check -r all g',
    show: tables,
  },
  {
    number: 8,
    title: 'a check does not speak of a dirty image',
    prepare: lines(filled, poke(79, '01')),
    line: 'check g',
    show: tables,
  },
  {
    number: 8,
    title: 'mending leaks where there are none makes a dirty and corrupt image clean',
    prepare: lines(filled, poke(79, '03')),
    line: 'check -r leaks g',
    show: tables,
  },
  {
    number: 10,
    title: 'a count of zero where one is needed: leaks cannot be mended',
    prepare: lines(filled, poke(refblock + 10, '0000'), poke(refblock + 12, '0001')),
    line: 'check -r leaks g',
    show: tables,
  },
  {
    number: 10,
    title: 'a count of zero where one is needed: the tables are built anew, elsewhere',
    prepare: lines(filled, poke(refblock + 10, '0000')),
    line: 'check -r all g',
    show: lines(tables, dump(6 * 65536, 20, 2), dump(7 * 65536, 1)),
  },
  {
    number: 11,
    title: 'what is counted behind the end of the file is no leak',
    prepare: lines(filled, poke(refblock + 14, '0005')),
    line: 'check g',
  },
  {
    number: 12,
    title: 'a cluster of which the file has a part is there',
    prepare: lines(filled, 'truncate -s 328192 g'),
    line: 'check g',
  },
  {
    number: 12,
    title: 'a cluster of which the file has nothing is not there',
    prepare: lines(filled, 'truncate -s 327680 g'),
    line: 'check g',
  },
  {
    number: 13,
    title: 'a file ends where its last table ends: a new image',
    prepare: 'true',
    line: 'create -q -f qcow2 g 1M',
    show: 'stat -c %s g',
  },
  {
    number: 13,
    title: 'a file ends where its last table ends: a snapshot table',
    prepare: filled,
    line: 'snapshot -c s g',
    show: 'stat -c %s g',
  },
  {
    number: 13,
    title: 'a file ends where its last table ends: a bitmap directory',
    prepare: filled,
    line: 'bitmap --add g b',
    show: lines('stat -c %s g', 'sha256sum g'),
  },
  {
    number: 14,
    title: 'extensions begin where the header ends, at any byte',
    prepare: lines(
      'qemu-img create -q -f qcow2 -u -b base -F qcow2 g 1M',
      poke(100, '00000069'),
      poke(105, 'e2792aca 00000003 726177 0000000000 0000000000000000'),
    ),
    line: 'info g',
  },
  {
    number: 15,
    title: 'extensions change places whenever the header is written, and their padding goes',
    prepare: lines(
      make(),
      poke(112, '1111111100000003616263ffffffffff 2222222200000008 6465666768696a6b 0000000000000000'),
    ),
    line: 'amend -o lazy_refcounts=on g',
    show: dump(104, 70),
  },
  {
    number: 17,
    title: 'a data file that was there is emptied',
    prepare: 'cp r d',
    line: 'create -q -f qcow2 -o data_file=d g 1M',
    show: 'sha256sum d g',
  },
  {
    number: 34,
    title: 'info needs no data file',
    prepare: lines(make('data_file=d'), 'rm d'),
    line: 'info g',
  },
  {
    number: 34,
    title: 'check needs the data file',
    prepare: lines(make('data_file=d'), 'rm d'),
    line: 'check g',
  },
  {
    number: 39,
    title: 'an image that becomes smaller keeps its number of L1 entries',
    prepare: lines(make('compat=1.1', '4G'), io('write -P 1 0 64k', 'write -P 2 3G 64k')),
    line: 'resize -q --shrink g 1M',
    show: lines(dump(36, 1, 4), io('truncate 4G', 'read -P 0 3G 64k'), dump(36, 1, 4)),
    anyLayout: true,
  },
  {
    number: 44,
    title: 'of two snapshots of one name the first goes',
    prepare: lines(filled, 'qemu-img snapshot -c s g', io('write -P 2 0 64k'), 'qemu-img snapshot -c s g'),
    line: 'snapshot -d s g',
    show: lines(
      'qemu-img snapshot -l g | cut -c 1-20',
      'qemu-img convert -l snapshot.id=2 -O raw g out',
      'sha256sum out; rm out',
    ),
  },
  {
    number: 44,
    title: 'a snapshot’s number is no name to delete it by',
    prepare: lines(filled, 'qemu-img snapshot -c s g'),
    line: 'snapshot -d 1 g',
  },
  {
    number: 44,
    title: 'a snapshot’s number serves to apply it',
    prepare: lines(filled, 'qemu-img snapshot -c s g', io('write -P 2 0 64k')),
    line: 'snapshot -a 1 g',
    show: 'qemu-img convert -O raw g out; sha256sum out; rm out',
    anyLayout: true,
  },
  {
    number: 45,
    title: 'a snapshot is converted at the size that the disk has now',
    prepare: lines(filled, 'qemu-img snapshot -c s g', 'qemu-img resize -q g 2M', io('write -P 3 0 2M')),
    line: 'convert -l s -O raw g out',
    show: 'stat -c %s out',
  },
  {
    number: 46,
    title: 'without snapshots the header names no table',
    prepare: lines(filled, 'qemu-img snapshot -c s g'),
    line: 'snapshot -d s g',
    show: lines(dump(60, 3, 4), tables),
  },
  {
    number: 47,
    title: 'one wrong bit of an L1 entry: what lies there is taken for entries',
    prepare: lines(make('cluster_size=4k'), io('write -P 1 0 12k'), poke(0x3000, '8000000000005200')),
    line: 'check g',
  },
  {
    number: 49,
    title: 'a refcount block that is not aligned cannot be mended',
    prepare: lines(filled, poke(0x10000, '0000000000020200')),
    line: 'check -r all g',
    show: tables,
  },
  {
    number: 49,
    title: 'a refcount block behind the file can be',
    prepare: lines(filled, poke(0x10008, '0000000000640000')),
    line: 'check -r all g',
    show: lines(tables, 'qemu-img check g'),
  },
  {
    number: 50,
    title: 'a broken bitmap directory keeps everybody out, a repair too',
    prepare: lines(filled, 'qemu-img bitmap --add g b', poke(7 * 65536, '0000000000000001')),
    line: 'check -r all g',
    show: 'qemu-img info g 2>&1 || true',
  },
  {
    number: 58,
    title: 'compressed output ends with a sector',
    prepare: 'true',
    line: 'convert -c -O qcow2 q out',
    show: 'echo $(($(stat -c %s out) % 512)); qemu-img check out',
    anyLayout: true,
  },
  {
    number: 61,
    title: 'extended entries cannot be downgraded',
    prepare: make('extended_l2=on'),
    line: 'amend -o compat=0.10 g',
  },
  {
    number: 61,
    title: 'a data file cannot be downgraded',
    prepare: make('data_file=d'),
    line: 'amend -o compat=0.10 g',
  },
  {
    number: 61,
    title: 'another refcount width cannot be downgraded',
    prepare: make('refcount_bits=8'),
    line: 'amend -o compat=0.10 g',
  },
  {
    number: 61,
    title: 'an image for zstd can be downgraded while nothing is compressed',
    prepare: lines(make('compression_type=zstd'), io('write -P 1 0 64k')),
    line: 'amend -o compat=0.10 g',
    show: tables,
  },
  {
    number: 61,
    title: 'an image with clusters compressed by zstd cannot be downgraded',
    prepare: lines(make('compression_type=zstd'), io('write -c -P 1 0 64k')),
    line: 'amend -o compat=0.10 g',
  },
  {
    number: 64,
    title: 'emptying takes no notice of an extension that it does not know, and of what that may own',
    prepare: lines(
      'qemu-img create -q -f qcow2 -b base -F qcow2 g',
      io('write -P 2 0 64k'),
      poke(112, '1111111100000008 0000000000100000 0000000000000000'),
      'truncate -s 1048576 g',
      "printf 'payload' >> g",
    ),
    line: 'commit -q g',
    show: lines(dump(104, 70), tables),
  },
  {
    number: 65,
    title: 'version 2: a backing format behind the header of 72 bytes',
    prepare: 'true',
    line: 'create -q -f qcow2 -o compat=0.10 -b base -F qcow2 g',
    show: lines(dump(0, 16), 'qemu-img info g | grep backing'),
  },
]

describe.skipIf(!hasReference)(needsReference('gotchas of qcow2'), () => {
  let twins: Twins
  beforeAll(() => {
    twins = makeTwins('gotchas', images)
  })
  afterAll(() => removeTwins(twins))

  test.each(gotchas)('$number: $title', async ({ line, ...options }) => {
    const comparison = await compareRuns(twins, words(line), { mask: maskDiskSize, ...options })
    expect(comparison.ours).toBe(comparison.reference)
  })

  const stale = lines(filled, 'qemu-img bitmap --add g b', poke(95, '00'))
  const staleOld = lines(
    make('compat=0.10'),
    poke(72, '2385287500000018 0000000100000000 0000000000000020 0000000000050000'),
  )
  test.each([
    { line: 'check g', prepare: stale },
    { line: 'snapshot -a none g', prepare: stale },
    { line: 'check g', prepare: staleOld },
  ])('51, 65: the hint about stale bitmaps has a line of its own: $line', async ({ line, prepare }) => {
    const hint = "run 'qemu-img check -r' on the image file to fix."
    const { ours, reference } = await compareRuns(twins, words(line), { prepare })
    expect(ours).toContain(`${hint}\n`)
    expect(reference).toContain(hint)
    expect(ours.replaceAll(`${hint}\n`, hint)).toBe(reference)
  })

  // The reference dies of a signal.
  test('35: an image that says LUKS and names no place for it is refused by name', async () => {
    const prepare = lines(make(), poke(35, '02'))
    const { ours, reference } = await compareRuns(twins, ['info', 'g'], { prepare })
    expect(reference).toMatch(/^status 1[23]\d/)
    expect(ours).toContain('status 1')
    expect(ours).toContain('LUKS')
  })

  // The reference fails with EAGAIN, and leaks a cluster.
  test('43: a snapshot of data that no refcount block counts', async () => {
    const prepare = lines(
      make('cluster_size=512'),
      io('write -P 1 0 512'),
      poke(2048, '0000000000040000'),
      'truncate -s 262656 g',
    )
    const { ours, reference } = await compareRuns(twins, ['snapshot', '-c', 's', 'g'], { prepare })
    expect(reference).toContain("Could not create snapshot 's': -11")
    expect(ours).toMatch(/^status 0\n/)
    // The data that the entry named before is lost either way.
    const leaks = (text: string) => text.match(/Leaked cluster \d+/g)
    expect([leaks(ours), leaks(reference)]).toEqual([['Leaked cluster 5'], ['Leaked cluster 5', 'Leaked cluster 6']])
  })

  // A random history found that the reference has given the zero clusters data by then.
  test('61: a downgrade that is refused for zstd changes nothing', async () => {
    const over = make('compression_type=zstd,backing_file=base,backing_fmt=qcow2')
    const prepare = lines(over, io('write -z 0 64k', 'write -c -P 1 64k 64k'))
    const run = { prepare, show: dump(l2, 1) }
    const { ours, reference } = await compareRuns(twins, words('amend -o compat=0.10 g'), run)
    const refused = 'Cannot downgrade an image with zstd compression type and existing compressed clusters'
    expect([ours.includes(refused), reference.includes(refused)]).toEqual([true, true])
    expect([ours.includes(' 0000000000000001\n'), reference.includes(' 0000000000000001\n')]).toEqual([true, false])
  })
})
