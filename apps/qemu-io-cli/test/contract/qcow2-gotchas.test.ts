// Proves, beside the reference, what is surprising about qcow2 images as a guest's requests change them: the numbers are
// those of docs/qcow2-gotchas.md. After each line the tables in the file are compared byte by byte.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runBoth } from '../support/run-table.ts'
import { hasReference, needsReference } from '../support/tools.ts'
import { makeTwins, removeTwins, type Twins } from '../support/twins.ts'

interface Gotcha {
  readonly number: number
  readonly title: string
  readonly prepare: string
  readonly line: string
  /** Shell lines that show what is on disk afterwards. */
  readonly show: string
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
const dump = (offset: number, words: number, bytes = 8): string =>
  `od -An -v -tx${bytes} --endian=big -j ${offset} -N ${words * bytes} g`

const lines = (...all: readonly string[]): string => all.join('\n')
/** The L2 table of an image whose first request was one write. */
const l2 = 0x40000
const tables = lines(dump(l2, 20), dump(0x20000, 20, 2), 'stat -c %s g')

const gotchas: readonly Gotcha[] = [
  {
    number: 2,
    title: 'COPIED is believed: a cluster behind the end of the file, which nobody counts, is written in place',
    prepare: lines(make(), io('write -P 1 0 64k'), poke(l2, '8000000000500000')),
    line: 'g | write -P 9 0 4k | read -P 9 0 4k | read -P 0 4k 60k',
    show: tables,
  },
  {
    number: 2,
    title: 'COPIED is believed: a cluster that is another entry’s too is written in place',
    prepare: lines(make(), io('write -P 1 0 64k'), poke(l2 + 8, '8000000000050000')),
    line: 'g | write -P 9 64k 4k | read -P 9 0 4k',
    show: tables,
  },
  {
    number: 5,
    title: 'reserved bits of entries mean nothing to requests',
    prepare: lines(make(), io('write -P 1 0 64k'), poke(0x30000, 'ff000000000401ff'), poke(l2, 'bf000000000501fe')),
    line: 'g | read -P 1 0 64k | write -P 2 0 4k | write -P 3 64k 4k | map',
    show: lines(dump(0x30000, 1), tables),
  },
  {
    number: 6,
    title: 'version 2: zeroes where nothing is below unmap',
    prepare: lines(make('compat=0.10'), io('write -P 1 0 256k')),
    line: 'g | write -z 0 64k | write -z -u 64k 64k | write -z 130k 2k | write -zn 192k 64k | discard 128k 64k | map',
    show: tables,
  },
  {
    number: 6,
    title: 'version 2: zeroes over a backing file are data, and a discard does nothing',
    prepare: lines(make('compat=0.10,backing_file=base,backing_fmt=qcow2'), io('write -P 2 0 64k')),
    line: 'g | write -z 64k 64k | discard 0 64k | read -P 2 0 64k | write -zn 128k 64k | read -P 1 128k 64k',
    show: tables,
  },
  {
    number: 9,
    title: 'a dirty image that cannot be mended is opened all the same, and clean when it is closed',
    prepare: lines(make(), io('write -P 1 0 64k'), poke(l2, '8100000000050000'), poke(79, '01')),
    line: 'g | write -P 2 64k 64k | read -P 1 0 64k',
    show: lines(dump(72, 1), tables, 'qemu-img check g || echo $?'),
  },
  {
    number: 11,
    title: 'a cluster behind the end of the file that is counted is not handed out',
    prepare: lines(make(), poke(0x20008, '0001'), 'qemu-img check g'),
    line: 'g | write -P 1 0 64k',
    show: lines(dump(0x30000, 1), dump(0x50000, 2), dump(0x20000, 10, 2), 'qemu-img check g || echo $?'),
  },
  {
    number: 15,
    title:
      'unknown autoclear bits go when the image is opened, other unknown bits and fields stay, extensions change places',
    prepare: lines(
      make(),
      poke(84, 'f0000000'),
      poke(92, '00000080'),
      poke(100, '00000078'),
      poke(112, '0123456789abcdef 1111111100000003616263ffffffffff 2222222200000008 6465666768696a6b 0000000000000000'),
    ),
    line: 'g | read 0 4k',
    show: dump(0, 80, 8),
  },
  {
    number: 16,
    title: 'an image with a bitmap that is only read is not written',
    prepare: lines(make(), 'qemu-img bitmap --add g b', 'cp g before'),
    line: '-r g | read 0 4k',
    show: 'cmp g before',
  },
  {
    number: 16,
    title: 'an image with a bitmap that could have been written is the same in the end',
    prepare: lines(make(), 'qemu-img bitmap --add g b'),
    line: 'g | read 0 4k',
    show: 'sha256sum g',
  },
  {
    number: 17,
    title: 'a data file is looked for where the program runs, not where the image is',
    prepare: lines('mkdir sub', 'qemu-img create -q -f qcow2 -o data_file=d sub/g 1M'),
    line: 'sub/g | write -P 1 0 64k | read -P 1 0 64k',
    show: 'ls . sub; sha256sum d',
  },
  {
    number: 19,
    title: 'the first cluster of a data file',
    prepare: lines(make('data_file=d'), io('write -P 1 64k 64k')),
    line: 'g | map | write -P 1 0 64k | map | write -z 0 64k | map | write -z -u 0 64k | map | discard 0 64k | map',
    show: tables,
  },
  {
    number: 21,
    title: 'a discard of nothing leaves a zero flag where something is below',
    prepare: lines(make('backing_file=base,backing_fmt=qcow2'), io('write -P 1 0 64k')),
    line: 'g | discard 64k 64k | read -P 0 64k 64k',
    show: tables,
  },
  {
    number: 21,
    title: 'a discard of nothing where nothing is below leaves nothing',
    prepare: lines(make(), io('write -P 1 0 64k')),
    line: 'g | discard 64k 64k | discard 0 64k',
    show: tables,
  },
  {
    number: 22,
    title: 'zeroes over nothing leave a zero flag, though nothing is below',
    prepare: lines(make(), io('write -P 1 0 64k')),
    line: 'g | write -z 64k 64k | write -z -u 192k 64k | map',
    show: tables,
  },
  {
    number: 23,
    title: 'a few zeroes in a cluster that reads as zeroes give all of it a zero flag',
    prepare: lines(make(), io('write -P 1 0 64k')),
    line: 'g | write -z 68k 4k | write -z 4k 4k | map',
    show: tables,
  },
  {
    number: 28,
    title: 'compressed clusters: over nothing, over a zero flag, over data, over each other, and data over them',
    prepare: lines(make(), io('write -P 1 0 64k')),
    line: 'g | write -c -P 2 0 64k | write -c -P 3 64k 64k | write -c -P 4 64k 64k | write -z 128k 64k | write -c -P 5 128k 64k | write -P 6 68k 4k | read -P 3 64k 4k | read -P 6 68k 4k',
    show: tables,
  },
  {
    number: 29,
    title: 'the last compressed cluster may end with the file, in the middle of a sector',
    prepare: lines(make(), io('write -c -P 1 0 64k'), 'test $(($(stat -c %s g) % 512)) != 0'),
    line: 'g | read -P 1 0 64k',
    show: tables,
  },
  {
    number: 31,
    title: 'counts of one bit: no compressed clusters share a cluster of the file',
    prepare: make('refcount_bits=1'),
    line: 'g | write -c -P 1 0 64k | write -c -P 2 64k 64k | write -c -P 3 128k 64k',
    show: lines('qemu-img check g', dump(l2, 3), dump(0x20000, 1, 8)),
  },
  {
    number: 36,
    title: 'extended entries: a compressed cluster cannot be zeroed in part',
    prepare: lines(make('extended_l2=on'), io('write -c -P 1 0 64k')),
    line: 'g | write -z 0 4k | read -P 0 0 4k | read -P 1 4k 60k',
    show: tables,
  },
  {
    number: 38,
    title: 'extended entries: a discard leaves no place, zeroes leave it',
    prepare: lines(make('extended_l2=on'), io('write -P 1 0 192k')),
    line: 'g | discard 0 64k | write -z 64k 64k | write -z -u 128k 64k',
    show: tables,
  },
  {
    number: 48,
    title: 'fragments are counted from each table anew, and compressed clusters are all fragments',
    prepare: make('cluster_size=512', '64k'),
    line: 'g | write 512 512 | write 0 512 | write 32k 512 | write 33k 512 | write -c -P 1 40k 1k',
    show: 'qemu-img check g',
  },
  {
    number: 52,
    title: 'an entry is named by its place in the slice',
    prepare: lines(make('compat=1.1', '64M'), io('write -P 1 0 64k'), poke(l2 + 8 * 100, '8000000000050200')),
    line: '--image-opts driver=qcow2,l2-cache-entry-size=512,file.filename=g | read 6400k 64k | read 0 4k',
    show: dump(l2, 4),
  },
  {
    number: 53,
    title: 'after fatal corruption there is no medium, and the header has the corrupt bit',
    prepare: lines(make(), io('write -P 1 0 64k'), poke(l2, '8000000000000000')),
    line: 'g | write -P 9 64k 64k | read 0 4k | write 0 64k',
    show: tables,
  },
  {
    number: 54,
    title: 'a program that opens the image anew fills the first hole',
    prepare: lines(make(), io('write -P 1 0 256k', 'discard 64k 64k')),
    line: 'g | write -P 2 512k 64k | write -P 3 640k 64k',
    show: tables,
  },
  {
    number: 54,
    title: 'after a change of the refcount width data lies where the tables were',
    prepare: lines(make(), io('write -P 1 0 64k'), 'qemu-img amend -o refcount_bits=8 g'),
    line: 'g | write -P 2 128k 128k',
    show: lines(dump(l2, 8), 'stat -c %s g'),
  },
  {
    number: 55,
    title: 'clusters that are written together lie together, not in holes too small for them',
    prepare: lines(make(), io('write -P 1 0 256k', 'discard 64k 64k')),
    line: 'g | write -P 2 512k 128k | write -P 3 768k 64k',
    show: tables,
  },
]

describe.skipIf(!hasReference)(needsReference('gotchas of qcow2'), () => {
  let twins: Twins
  beforeAll(() => {
    twins = makeTwins()
  })
  afterAll(() => removeTwins(twins))

  test.each(gotchas)('$number: $title', async ({ line, prepare, show }) => {
    const described = await runBoth(twins, line, { prepare, show })
    expect(described.ours).toBe(described.reference)
  })
})
