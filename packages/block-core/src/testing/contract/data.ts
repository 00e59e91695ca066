/** Contract cases: reads and writes. */

import { expectSameBytes, filled, stamped } from '../patterns.ts'
import type { ContractCase, DriverContract, MakeCase } from './types.ts'
import { expectErrno, readBack } from './read-back.ts'

const KiB = 1024

/** Cases about guest data. */
export function dataCases(contract: DriverContract, make: MakeCase): ContractCase[] {
  const cases = [
    make('a request past the end fails and changes nothing', 64 * KiB, async ({ disk }) => {
      await expectErrno('EIO', () => disk.read(disk.length - 512, new Uint8Array(1024)))
      await expectErrno('EIO', () => disk.read(-512, new Uint8Array(512)))
    }),
    make('an empty read succeeds', 64 * KiB, async ({ disk }) => {
      await disk.read(0, new Uint8Array(0))
      await disk.read(disk.length, new Uint8Array(0))
    }),
  ]
  if (contract.can?.zeroInit !== false) {
    cases.push(
      make('a new image reads as zeroes', 192 * KiB, async ({ disk }) => {
        expectSameBytes(await readBack(disk, 0, disk.length), filled(0, disk.length), 'new image')
      }),
    )
  }
  return contract.can?.write === false ? cases : [...cases, ...writeCases(contract, make)]
}

function writeCases(contract: DriverContract, make: MakeCase): ContractCase[] {
  return [
    make('what was written is read, also after reopening', 256 * KiB, async (image) => {
      const data = stamped(64 * KiB, 128 * KiB, 1)
      await image.disk.write(64 * KiB, data)
      expectSameBytes(await readBack(image.disk, 64 * KiB, data.length), data, 'before reopening')
      const again = await image.reopen()
      expectSameBytes(await readBack(again, 64 * KiB, data.length), data, 'after reopening')
    }),
    make('unaligned writes keep what is around them', 256 * KiB, async ({ disk }) => {
      const model = stamped(0, disk.length, 2)
      await disk.write(0, model)
      for (const [offset, bytes] of [
        [1, 1],
        [511, 2],
        [4095, 4097],
        [65535, 65538],
        [131071, 1],
        [100001, 99],
      ] as const) {
        const data = filled(offset % 251, bytes)
        await disk.write(offset, data)
        model.set(data, offset)
      }
      expectSameBytes(await readBack(disk, 0, disk.length), model, 'whole image')
      expectSameBytes(await readBack(disk, 511, 66000), model.subarray(511, 66511), 'unaligned read')
    }),
    make('overlapping writes in flight end as one after the other', 128 * KiB, async ({ disk }) => {
      const values = [1, 2, 3, 4, 5, 6, 7, 8]
      await Promise.all(values.map((value) => disk.write(30_000 + value * 10, filled(value, 40_000))))
      const seen = await readBack(disk, 40_000, 1)
      if (!values.includes(seen[0]!)) throw new Error(`byte ${seen[0]} was never written`)
    }),
    make('a durable write is one, and a flush succeeds', 64 * KiB, async ({ disk }) => {
      await disk.write(0, filled(9, 512), { fua: true })
      await disk.flush()
      await disk.flush()
    }),
    ...(contract.can?.truncate === false ? [] : [truncateCase(make)]),
  ]
}

function truncateCase(make: MakeCase): ContractCase {
  return make('growing keeps the content and adds zeroes', 64 * KiB, async (image) => {
    const data = stamped(0, 64 * KiB, 3)
    await image.disk.write(0, data)
    await image.disk.truncate(256 * KiB)
    const again = await image.reopen()
    if (again.length !== 256 * KiB) throw new Error(`the length is ${again.length}`)
    expectSameBytes(await readBack(again, 0, data.length), data, 'old part')
    expectSameBytes(await readBack(again, data.length, 192 * KiB), filled(0, 192 * KiB), 'new part')
  })
}
