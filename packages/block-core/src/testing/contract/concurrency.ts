/** Contract cases: requests in flight together. */

import { MemoryStore } from '../memory-driver.ts'
import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { random, randomPace } from '../seed.ts'
import { contentOf, demand, KiB, readAll, readBack, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract } from './types.ts'

const length = 512 * KiB

/** Cases about overlapping in time. */
export function concurrencyCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  if (contract.can?.write === false) return [make.skip('requests in flight together', 'the driver cannot write')]
  const seed = contract.seed ?? 1
  return [
    make.image('overlapping writes in flight leave nothing that was never written', 128 * KiB, async ({ disk }) => {
      const values = [1, 2, 3, 4, 5, 6, 7, 8]
      await Promise.all(values.map((value) => disk.write(30_000 + value * 10, filled(value, 40_000))))
      const seen = await readBack(disk, 30_080, 39_930)
      for (const byte of seen) demand(values.includes(byte), `byte ${byte} was never written`)
      const around = [...(await readBack(disk, 0, 30_010)), ...(await readBack(disk, 70_080, 10_000))]
      demand(around.every((byte) => byte === 0) || contract.can?.zeroInit === false, 'bytes around the writes changed')
    }),
    make.image('writes in flight side by side in a new image lose nothing', length, async (image) => {
      const piece = 1000
      const model = new Uint8Array(length - (length % piece))
      await Promise.all(
        Array.from({ length: model.length / piece }, (_, i) => {
          model.fill(1 + (i % 250), i * piece, (i + 1) * piece)
          return image.disk.write(i * piece, filled(1 + (i % 250), piece))
        }),
      )
      expectSameBytes(await readBack(image.disk, 0, model.length), model, 'after the writes')
      expectSameBytes(await readBack(await image.reopen(), 0, model.length), model, 'after reopening')
    }),
    make.stored(`requests that overtake each other lose nothing (seed ${seed})`, (storage) => overtake(storage, seed)),
    make.stored(`flushes among writes lose nothing (seed ${seed})`, (storage) => flushAmong(storage, seed)),
  ]
}

/** Each stripe has one writer at a time; stripes are smaller than clusters usually are, so that writers share clusters. */
async function overtake(storage: ContractStorage, seed: number): Promise<void> {
  const store = new MemoryStore(await storage.image(length))
  const model = stamped(0, length, 12)
  await withStored(storage, store, { pace: randomPace(seed) }, async ({ disk }) => {
    await disk.write(0, model.subarray(0, length / 2))
    model.fill(0, length / 2)
    const stripe = 5000
    await Promise.all(
      Array.from({ length: Math.floor(length / stripe) }, async (_, writer) => {
        const choose = random(seed + writer)
        const start = writer * stripe
        for (let i = 0; i < 4; i++) {
          const offset = start + choose.below(stripe - 100)
          const bytes = 1 + choose.below(start + stripe - offset)
          const value = choose.chance(0.3) ? 0 : 1 + choose.below(255)
          model.fill(value, offset, offset + bytes)
          await (value === 0
            ? disk.writeZeroes(offset, bytes, { mayUnmap: true })
            : disk.write(offset, filled(value, bytes)))
          expectSameBytes(await readBack(disk, start, stripe), model.slice(start, start + stripe), 'its own stripe')
        }
      }),
    )
    expectSameBytes(await readAll(disk), model, 'after all writers')
  })
  expectSameBytes(await contentOf(storage, store), model, 'after reopening')
}

async function flushAmong(storage: ContractStorage, seed: number): Promise<void> {
  const store = new MemoryStore(await storage.image(length))
  const model = new Uint8Array(length)
  await withStored(storage, store, { pace: randomPace(seed) }, async ({ disk }) => {
    await disk.writeZeroes(0, length)
    const choose = random(seed)
    const requests: Promise<void>[] = []
    for (let i = 0; i < 60; i++) {
      const offset = i * 8000
      const bytes = 1 + choose.below(8000)
      model.fill(i + 1, offset, offset + bytes)
      requests.push(disk.write(offset, filled(i + 1, bytes)))
      if (i % 3 === 0) requests.push(disk.flush())
    }
    await Promise.all(requests)
  })
  expectSameBytes(await contentOf(storage, store), model, 'after reopening')
}
