/** Contract cases: what a flush covered survives every power cut. */

import { BlockError } from '../../errors.ts'
import { MemoryStore } from '../memory-driver.ts'
import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { PowerLossStore } from '../power-loss.ts'
import { SectorHistory } from '../sector-history.ts'
import { random } from '../seed.ts'
import { contentOf, expectSound, KiB, readAll, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract } from './types.ts'

const length = 256 * KiB

/** Cases about power cuts. */
export function durabilityCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  if (contract.can?.write === false) return [make.skip('power cuts', 'the driver cannot write')]
  const seed = contract.seed ?? 1
  return [
    make.stored('a flushed write survives every power cut', async (storage) => {
      const store = new PowerLossStore(await storage.image(length))
      const history = new SectorHistory(await contentOf(storage, store))
      await withStored(storage, store, {}, async ({ disk }) => {
        for (const [offset, bytes, value] of [
          [70 * KiB, 40 * KiB, 1],
          [0, 512, 2],
          [100 * KiB, 8 * KiB, 3],
        ] as const) {
          history.change(offset, bytes, value, store.currentInterval)
          await disk.write(offset, filled(value, bytes))
          await disk.flush()
          history.flushed(store.currentInterval)
        }
      })
      await verify(storage, store, history, seed)
    }),
    make.stored('a durable write survives every power cut after it', async (storage) => {
      const store = new PowerLossStore(await storage.image(length))
      const history = new SectorHistory(await contentOf(storage, store))
      await withStored(storage, store, {}, async ({ disk }) => {
        for (const [offset, value, zero] of [
          [70 * KiB, 1, false],
          [512, 2, false],
          [70 * KiB, 0, true],
        ] as const) {
          history.change(offset, 4096, value, store.currentInterval)
          if (zero) await disk.writeZeroes(offset, 4096, { fua: true })
          else await disk.write(offset, filled(value, 4096), { fua: true })
          // Nothing else is under way, so that all of the history is durable.
          history.flushed(store.currentInterval)
        }
      })
      await verify(storage, store, history, seed)
    }),
    make.stored(`no power cut in a random history leaves a broken image (seed ${seed})`, async (storage) => {
      const store = new PowerLossStore(await storage.image(length))
      const history = new SectorHistory(await contentOf(storage, store))
      await withStored(storage, store, {}, async ({ disk }) => {
        const choose = random(seed)
        for (let step = 0; step < 14; step++) {
          const offset = choose.below(length / 512 - 64) * 512
          const bytes = (1 + choose.below(64)) * 512
          const value = choose.chance(0.3) ? 0 : 1 + choose.below(255)
          history.change(offset, bytes, value, store.currentInterval)
          await (value === 0
            ? disk.writeZeroes(offset, bytes, { mayUnmap: true })
            : disk.write(offset, filled(value, bytes)))
          if (step % 5 !== 4) continue
          await disk.flush()
          history.flushed(store.currentInterval)
        }
      })
      await verify(storage, store, history, seed)
    }),
    make.stored('what a power cut left can be written on, and loses nothing by it', async (storage) => {
      const store = new PowerLossStore(await storage.image(length))
      await withStored(storage, store, {}, async ({ disk }) => {
        for (const offset of [192, 64, 0]) await disk.write(offset * KiB, filled(1, 4096))
        await disk.flush()
      })
      // Each state is two copies of the file: of a large one fewer are looked at.
      const step = store.length > 2 ** 21 ? 8 : 1
      let states = 0
      for (const state of store.crashStates({ seed, exhaustive: 3, samples: 4 })) {
        if (states++ % step === 0) await writeOn(storage, state.store, `power cut ${state.name}`)
      }
    }),
  ]
}

/** Writes to the disk in many places, in either direction, and demands that each piece stays where it was put. */
async function writeOn(storage: ContractStorage, cut: MemoryStore, what: string): Promise<void> {
  const pieces = [0, 1, 2, 3, 4, 5, 6, 7].map((piece) => piece * 32 * KiB)
  const start = cut.bytes()
  for (const offsets of [pieces, [...pieces].reverse()]) {
    const store = new MemoryStore(start)
    const expected = await contentOf(storage, store)
    const opened = await storage.open(store).catch((error: unknown) => {
      // Whoever finds that the image is damaged may refuse to make it worse.
      if (error instanceof BlockError) return undefined
      throw error
    })
    if (opened === undefined) return
    try {
      for (const offset of offsets) {
        const data = stamped(offset, 4096)
        expected.set(data, offset)
        await opened.disk.write(offset, data)
      }
      expectSameBytes(await readAll(opened.disk), expected, `${what}, then written on`)
    } finally {
      await opened.close()
    }
    expectSameBytes(await contentOf(storage, store), expected, `${what}, then written on and opened again`)
  }
}

async function verify(
  storage: ContractStorage,
  store: PowerLossStore,
  history: SectorHistory,
  seed: number,
): Promise<void> {
  // Each state is a copy of the file: of a large one fewer are looked at.
  const few = store.length > 2 ** 21
  for (const state of store.crashStates({ seed, exhaustive: few ? 2 : 4, samples: few ? 1 : 6 })) {
    const what = `power cut ${state.name}`
    history.verify(await expectSound(storage, state.store, what), state.interval, what)
  }
}
