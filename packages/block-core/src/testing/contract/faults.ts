/** Contract cases: a request that fails is reported, and harms nothing else. */

import { BlockError, type Errno } from '../../errors.ts'
import { type FaultKind, FaultStore, forEachFault } from '../fault-plan.ts'
import { MemoryStore } from '../memory-driver.ts'
import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { demand, expectSound, KiB, readBack, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract, StoredImage } from './types.ts'

const length = 256 * KiB
/** The operations change this range; what lies before it was flushed long ago. */
const touched = 128 * KiB

/** Discards are advice: a driver may pass over the failure of one. */
const reported: readonly FaultKind[] = ['write', 'zero', 'resize', 'flush']

/** Cases about failing storage. */
export function faultCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const cases = [
    make.stored('an image that cannot be read says so, and is not opened by halves', async (storage) => {
      const content = await storage.image(length)
      await forEachFault((index) => failOpening(storage, new FaultStore(content), index))
    }),
  ]
  if (contract.can?.write === false) return [...cases, make.skip('failing writes', 'the driver cannot write')]
  const failing = (name: string, code: Errno, forGood: boolean): ContractCase =>
    make.stored(`${name} is reported, and harms nothing else`, async (storage) => {
      const content = await prepared(storage)
      await forEachFault((index) => failWriting(storage, new FaultStore(content), { index, code, forGood }))
    })
  return [
    ...cases,
    make.stored('a read that fails is reported', async (storage) => {
      const content = await prepared(storage)
      await forEachFault((index) => failReading(storage, new FaultStore(content), index))
    }),
    failing('a failing request (EIO, once)', 'EIO', false),
    failing('a full disk (ENOSPC, for good)', 'ENOSPC', true),
  ]
}

/** An image whose lower part is written. */
async function prepared(storage: ContractStorage): Promise<Uint8Array> {
  const store = new MemoryStore(await storage.image(length))
  await withStored(storage, store, {}, ({ disk }) => disk.write(0, stamped(0, touched + 64 * KiB, 13)))
  return store.bytes()
}

async function failOpening(storage: ContractStorage, store: FaultStore, index: number): Promise<boolean> {
  store.arm({ index, kinds: ['read'] })
  let opened: StoredImage | undefined
  let failure: unknown
  try {
    opened = await storage.open(store, { readOnly: true })
  } catch (error) {
    failure = error
  }
  const { hit } = store
  store.disarm()
  await opened?.close()
  demand(!hit || failure instanceof BlockError, `read ${index} of opening failed, and nobody said so`)
  if (!hit && failure !== undefined) throw failure
  return hit
}

async function failReading(storage: ContractStorage, store: FaultStore, index: number): Promise<boolean> {
  const opened = await storage.open(store, { readOnly: true })
  store.arm({ index, kinds: ['read'] })
  const expected = stamped(0, touched, 13)
  const into = filled(0xa5, touched)
  const failure = await opened.disk.read(0, into).then(
    () => undefined,
    (error: unknown) => error,
  )
  const { hit } = store
  store.disarm()
  demand(!hit || failure instanceof BlockError, `read ${index} failed, and the data was given all the same`)
  if (!hit) expectSameBytes(into, expected, 'a read without failures')
  expectSameBytes(await readBack(opened.disk, 0, touched), expected, 'the same read afterwards')
  await opened.close()
  return hit
}

interface WriteFault {
  readonly index: number
  readonly code: Errno
  readonly forGood: boolean
}

async function failWriting(storage: ContractStorage, store: FaultStore, fault: WriteFault): Promise<boolean> {
  const opened = await storage.open(store)
  store.arm({ ...fault, kinds: reported })
  const failures: unknown[] = []
  const collect = (error: unknown): void => void failures.push(error)
  const { disk } = opened
  await disk.write(touched + 70_000, filled(1, 700)).catch(collect)
  await disk.writeZeroes(touched, 64 * KiB).catch(collect)
  await disk.write(touched + 1000, filled(2, 700)).catch(collect)
  await disk.flush().catch(collect)
  await disk.close().catch(collect)
  const { hit } = store
  store.disarm()
  await opened.close().catch(collect)
  for (const failure of failures) if (!(failure instanceof BlockError)) throw failure
  const what = `request ${fault.index} failed with ${fault.code}`
  demand(hit || failures.length === 0, `an operation failed though no request did: ${failures[0]}`)
  const content = await expectSound(storage, store, what)
  const expected = expectedAfter()
  expectSameBytes(content.subarray(0, touched), expected.subarray(0, touched), `${what}: what nobody wrote to`)
  // A driver may try again by itself; but who reports no failure must have done all that was asked.
  if (failures.length === 0)
    expectSameBytes(content, expected, `${what}, nobody said so, and what was asked was not done`)
  return hit
}

/** The content after the operations of `failWriting`. */
function expectedAfter(): Uint8Array {
  const content = new Uint8Array(length)
  content.set(stamped(0, touched + 64 * KiB, 13))
  content.fill(1, touched + 70_000, touched + 70_700)
  content.fill(0, touched, touched + 64 * KiB)
  content.fill(2, touched + 1000, touched + 1700)
  return content
}
