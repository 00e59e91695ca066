// Proves, beside the reference, that no write reaches metadata, of whatever kind: the same words, the same mark in the header,
// the same end of the node, and the same image on disk afterwards.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runBoth } from '../support/run-table.ts'
import { hasReference, needsReference } from '../support/tools.ts'
import { makeTwins, removeTwins, type Twins } from '../support/twins.ts'

const cluster = 65536

/**
 * Clusters 0 to 3 as ever, the snapshot's L2 table and data in 4 and 5, its L1 table in 6, the snapshot table in 7, made at
 * no particular time.
 */
const withSnapshot = `
qemu-img create -q -f qcow2 g 1M
qemu-io -c 'write -P 1 0 64k' g >&2
qemu-img snapshot -c s g
head -c 8 /dev/zero | dd of=g bs=1 seek=${7 * cluster + 16} conv=notrunc status=none
qemu-io -c 'write -P 2 0 64k' g >&2`

/** The active L2 table and data in 4 and 5, a bitmap's table and the directory behind them. */
const withBitmap = `
qemu-img create -q -f qcow2 g 1M
qemu-io -c 'write -P 1 0 64k' g >&2
qemu-img bitmap --add g b`

/** One kind of metadata: name of its option and in messages, and where an image has it. */
interface Kind {
  readonly option: string
  readonly name: string
  readonly image: string
  readonly at: number
  /** Cluster of the active L2 table. */
  readonly l2: number
  /** Not looked at by default: it takes reading. */
  readonly costs?: true
}

const snapshot = { image: withSnapshot, l2: 8 }
/** All but the header: no entry names the first cluster, so that no request leads there (driver-qcow2 tests it by itself). */
const kinds: readonly Kind[] = [
  { ...snapshot, option: 'refcount-table', name: 'refcount table', at: 1 },
  { ...snapshot, option: 'refcount-block', name: 'refcount block', at: 2 },
  { ...snapshot, option: 'active-l1', name: 'active L1 table', at: 3 },
  { ...snapshot, option: 'active-l2', name: 'active L2 table', at: 8 },
  { ...snapshot, option: 'inactive-l1', name: 'inactive L1 table', at: 6 },
  { ...snapshot, option: 'inactive-l2', name: 'inactive L2 table', at: 4, costs: true },
  { ...snapshot, option: 'snapshot-table', name: 'snapshot table', at: 7 },
  { image: withBitmap, l2: 4, option: 'bitmap-directory', name: 'bitmap directory', at: 7 },
]

/** The image, with an entry for guest cluster 1 that says it lies on the metadata. */
function damaged({ image, at, l2 }: Kind): string {
  const high = (at * cluster) / 2 ** 16
  const entry = [0o200, 0, 0, 0, high >> 8, high & 255, 0, 0]
  const text = entry.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  return `${image}\nprintf '${text}' | dd of=g bs=1 seek=${l2 * cluster + 8} conv=notrunc status=none`
}

const commands = '| write -P 9 68k 4k | read 0 512 | flush'
const show = 'sha256sum g; qemu-img info g 2>&1 | grep corrupt'
const told = (name: string): string =>
  `qcow2: Marking image as corrupt: Preventing invalid write on metadata (overlaps with ${name}); ` +
  'further corruption events will be suppressed\n'

describe.skipIf(!hasReference)(needsReference('overlaps'), () => {
  let twins: Twins
  beforeAll(() => {
    twins = makeTwins()
  })
  afterAll(() => removeTwins(twins))

  const run = (kind: Kind, options: string) =>
    runBoth(twins, `--image-opts driver=qcow2,file.filename=g${options} ${commands}`, { prepare: damaged(kind), show })

  test.each(kinds)('$name: refused, marked, ejected', async (kind) => {
    const { ours, reference } = await run(kind, kind.costs ? ',overlap-check=all' : '')
    expect(ours).toBe(reference)
    expect(ours).toContain(told(kind.name))
    expect(ours).toContain('No medium found')
  })

  // Who asks for it may destroy the image: what is left is the same.
  test.each(kinds)('$name: not looked at', async (kind) => {
    const { ours, reference } = await run(kind, `,overlap-check=all,overlap-check.${kind.option}=off`)
    expect(ours).toBe(reference)
    expect(ours).not.toContain(told(kind.name))
  })
})
