/** Contract cases: block status tells the truth. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import { nodeSpec } from '../../driver/block-driver.ts'
import type { Child } from '../../driver/child.ts'
import { isZero } from '../../util/bytes.ts'
import { MemoryStore } from '../memory-driver.ts'
import { filled } from '../patterns.ts'
import { random } from '../seed.ts'
import { childLook } from './child-look.ts'
import { demand, KiB, readBack, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract } from './types.ts'

const length = 512 * KiB
/** What the cases write, so that there is something to tell apart. */
const written: readonly (readonly [number, number])[] = [
  [100 * KiB, 50 * KiB],
  [500 * KiB, 12 * KiB],
]

/** Cases about extents. */
export function statusCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const canWrite = contract.can?.write !== false
  const seed = contract.seed ?? 1
  return [
    make.image('extents cover the image without gaps, and zero ones read as zero', length, async ({ disk }) => {
      if (canWrite) await fill(disk)
      await expectTrueExtents(disk)
      if (!canWrite) return
      await disk.flush()
      await expectTrueExtents(disk)
      for (const [offset, bytes] of written) await expectPresent(disk, offset, bytes)
    }),
    make.image(`the status of any range is that of its extent (seed ${seed})`, length, async ({ disk }) => {
      if (canWrite) await fill(disk)
      const choose = random(seed)
      for (let i = 0; i < 60; i++) {
        const offset = choose.below(length)
        const bytes = 1 + choose.below(length - offset)
        const status = await disk.blockStatus(offset, bytes)
        const where = `the status of ${bytes} bytes at ${offset}`
        demand(status.bytes > 0 && status.bytes <= bytes, `${where} is for ${status.bytes} bytes`)
        if (!status.zero) continue
        demand(isZero(await readBack(disk, offset, status.bytes)), `${where} says zero and is not`)
      }
    }),
    make.stored('what a parent is told of zeroes, allocation and the end is true', (storage) =>
      tellsParents(storage, { canWrite, seed }),
    ),
  ]
}

async function tellsParents(
  storage: ContractStorage,
  { canWrite, seed }: { readonly canWrite: boolean; readonly seed: number },
): Promise<void> {
  const store = new MemoryStore(await storage.image(length))
  await withStored(storage, store, { readOnly: !canWrite }, async ({ disk, graph }) => {
    if (canWrite) await fill(disk)
    const looks: Child[] = []
    const above = await graph.open(nodeSpec(childLook(looks), { image: disk.root }), { readOnly: true })
    const child = looks[0]!
    const choose = random(seed)
    for (let i = 0; i < 60; i++) {
      const offset = choose.below(length)
      const bytes = Math.min(length - offset, 1 + choose.below(64 * KiB))
      const where = `${bytes} bytes at ${offset}`
      const isEmpty = isZero(await readBack(disk, offset, bytes))
      demand(isEmpty || !(await child.isZeroFast(offset, bytes)), `${where} are said to be zero and are not`)
      const status = await child.blockStatus(offset, bytes)
      demand(status.bytes > 0 && status.bytes <= bytes, `the status of ${where} is for ${status.bytes} bytes`)
      const atEnd = offset + status.bytes === length
      demand(atEnd || status.eof !== true, `the status of ${where} says that the image ends there`)
      // Zero alone may also be what the end of the backing chain leaves.
      const { allocated = status.data, data, zero } = status
      demand(allocated ? data || zero : !data, `the status of ${where} contradicts itself`)
    }
    await above.close()
  })
}

async function fill(disk: BlockBackend): Promise<void> {
  for (const [offset, bytes] of written) await disk.write(offset, filled(1, bytes))
  await disk.writeZeroes(300 * KiB, 100 * KiB, { mayUnmap: true })
}

async function expectTrueExtents(disk: BlockBackend): Promise<void> {
  let at = 0
  for await (const extent of disk.map()) {
    if (extent.start !== at || extent.bytes <= 0) throw new Error(`extent at ${extent.start} instead of ${at}`)
    at += extent.bytes
    const isEmpty = isZero(await readBack(disk, extent.start, extent.bytes))
    demand(isEmpty || !extent.zero, `the extent at ${extent.start} says zero and is not`)
    demand(isEmpty || extent.present, `the extent at ${extent.start} is in no image and reads as data`)
  }
  if (at !== disk.length) throw new Error(`the extents end at ${at} of ${disk.length}`)
}

/** What was written belongs to this image, whatever lies below. */
async function expectPresent(disk: BlockBackend, offset: number, bytes: number): Promise<void> {
  for (let at = offset; at < offset + bytes; ) {
    const status = await disk.blockStatus(at, offset + bytes - at)
    demand(status.data && status.depth === 0, `what was written at ${at} is not said to be data of this image`)
    at += status.bytes
  }
}
