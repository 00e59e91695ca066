/** Contract cases: reads and writes. */

import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { demand, expectErrno, KiB, readAll, readBack } from './read-back.ts'
import type { CaseMaker, ContractCase, DriverContract } from './types.ts'

/** Cases about guest data. */
export function dataCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const cases = [
    make.image('a request past the end fails and changes nothing', 64 * KiB, async ({ disk }) => {
      const { length } = disk
      const before = await readAll(disk)
      for (const offset of [length - 512, length, length + 512, -512, 0.5]) {
        await expectErrno('EIO', () => disk.read(offset, new Uint8Array(1024)))
        await expectErrno('EIO', () => disk.write(offset, filled(1, 1024)))
        await expectErrno('EIO', () => disk.writeZeroes(offset, 1024))
        await expectErrno('EIO', () => disk.discard(offset, 1024))
      }
      await expectErrno(['EIO', 'EFBIG'], () => disk.read(2 ** 53, new Uint8Array(512)))
      demand(disk.length === length, `the length is ${disk.length}, it was ${length}`)
      expectSameBytes(await readAll(disk), before, 'after requests past the end')
    }),
    make.image('an empty request succeeds', 64 * KiB, async ({ disk }) => {
      await disk.read(0, new Uint8Array(0))
      await disk.read(disk.length, new Uint8Array(0))
    }),
    make.image('a read fills its buffer and nothing around it', 64 * KiB, async ({ disk }) => {
      const frame = filled(0x5a, 4 * KiB)
      for (const [offset, bytes] of [
        [0, 512],
        [511, 1026],
        [60 * KiB + 1, 1],
      ] as const) {
        frame.fill(0x5a)
        await disk.read(offset, frame.subarray(100, 100 + bytes))
        const around = [...frame.subarray(0, 100), ...frame.subarray(100 + bytes)]
        demand(
          around.every((byte) => byte === 0x5a),
          `a read of ${bytes} bytes wrote outside its buffer`,
        )
        expectSameBytes(frame.subarray(100, 100 + bytes), await readBack(disk, offset, bytes), 'read twice')
      }
    }),
    make.image('several buffers are filled one after the other', 64 * KiB, async ({ disk }) => {
      const whole = await readBack(disk, 1000, 5000)
      const parts = [filled(1, 24), filled(1, 0), filled(1, 4096), filled(1, 880)]
      await disk.read(1000, parts)
      expectSameBytes(Uint8Array.from(parts.flatMap((part) => [...part])), whole, 'read in parts')
    }),
  ]
  if (contract.can?.zeroInit !== false) {
    cases.push(
      make.image('a new image reads as zeroes', 192 * KiB, async ({ disk }) => {
        expectSameBytes(await readAll(disk), filled(0, disk.length), 'new image')
      }),
    )
  }
  return [...cases, ...(contract.can?.write === false ? refusedWrites(make) : writeCases(make))]
}

function refusedWrites(make: CaseMaker): ContractCase[] {
  return [
    make.image('writing is refused and changes nothing', 64 * KiB, async ({ disk }) => {
      const before = await readAll(disk)
      await expectErrno(['EPERM', 'ENOTSUP'], () => disk.write(0, filled(1, 512)))
      await expectErrno(['EPERM', 'ENOTSUP'], () => disk.writeZeroes(0, 512))
      expectSameBytes(await readAll(disk), before, 'after refused writes')
    }),
  ]
}

function writeCases(make: CaseMaker): ContractCase[] {
  return [
    make.image('what was written is read, also after reopening', 256 * KiB, async (image) => {
      const data = stamped(64 * KiB, 128 * KiB, 1)
      await image.disk.write(64 * KiB, data)
      expectSameBytes(await readBack(image.disk, 64 * KiB, data.length), data, 'before reopening')
      const again = await image.reopen()
      expectSameBytes(await readBack(again, 64 * KiB, data.length), data, 'after reopening')
    }),
    make.image('unaligned writes keep what is around them', 256 * KiB, async ({ disk }) => {
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
      expectSameBytes(await readAll(disk), model, 'whole image')
      expectSameBytes(await readBack(disk, 511, 66000), model.subarray(511, 66511), 'unaligned read')
    }),
    make.image('a small write into a new image changes nothing else', 256 * KiB, async (image) => {
      const model = await readAll(image.disk)
      for (const offset of [0, 70_000, 256 * KiB - 700]) {
        await image.disk.write(offset, filled(3, 700))
        model.fill(3, offset, offset + 700)
        expectSameBytes(await readAll(image.disk), model, `after a write at ${offset}`)
      }
      expectSameBytes(await readAll(await image.reopen()), model, 'after reopening')
    }),
    make.image('the caller may use its buffer again once the write has returned', 128 * KiB, async ({ disk }) => {
      const buffer = filled(1, 64 * KiB)
      await disk.write(512, buffer)
      demand(
        buffer.every((byte) => byte === 1),
        'the write changed the data that it was given',
      )
      buffer.fill(2)
      expectSameBytes(await readBack(disk, 512, buffer.length), filled(1, buffer.length), 'after the buffer changed')
    }),
    make.image('several buffers are written one after the other', 64 * KiB, async (image) => {
      const parts = [stamped(0, 24, 6), new Uint8Array(0), stamped(24, 4096, 6), stamped(4120, 880, 6)]
      await image.disk.write(1000, parts)
      await image.disk.write(7000, parts, { fua: true })
      const again = await image.reopen()
      expectSameBytes(await readBack(again, 1000, 5000), stamped(0, 5000, 6), 'written in parts')
      expectSameBytes(await readBack(again, 7000, 5000), stamped(0, 5000, 6), 'written in parts, durably')
    }),
    make.image('a durable write is read, and a flush succeeds', 64 * KiB, async ({ disk }) => {
      await disk.write(0, filled(9, 512), { fua: true })
      await disk.flush()
      await disk.flush()
      expectSameBytes(await readBack(disk, 0, 512), filled(9, 512), 'after the flush')
    }),
  ]
}
