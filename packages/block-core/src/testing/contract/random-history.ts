/** Contract cases: long random histories against a model. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import { expectSameBytes, filled } from '../patterns.ts'
import { type Random, random } from '../seed.ts'
import { readBack } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractImage, DriverContract } from './types.ts'

const length = 1024 * 1024
const steps = 200

/** Cases about everything at once. */
export function randomCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  if (contract.can?.write === false) return [make.skip('random histories', 'the driver cannot write')]
  const seed = contract.seed ?? 1
  return [
    make.image(`a random history of ${steps} steps equals its model (seed ${seed})`, length, (image) =>
      play(image, random(seed)),
    ),
    make.image(`random writes in flight together equal their model (seed ${seed})`, length, (image) =>
      playParallel(image, random(seed)),
    ),
  ]
}

/** A range of the disk; often aligned, sometimes not at all. */
function range(choose: Random): { offset: number; bytes: number } {
  const unit = choose.pick([1, 512, 4096, 65536])
  const offset = choose.below(length / unit) * unit
  const bytes = Math.min(length - offset, (1 + choose.below(unit === 65536 ? 4 : 40)) * unit)
  return { offset, bytes }
}

async function play(image: ContractImage, choose: Random): Promise<void> {
  let { disk } = image
  const model = new Uint8Array(length)
  // Discarded ranges may hold anything: they are written before they are compared.
  await disk.write(0, model)
  for (let step = 0; step < steps; step++) {
    const { offset, bytes } = range(choose)
    disk = await playStep(image, disk, model, { offset, bytes, action: choose.below(20), value: 1 + choose.below(255) })
    if (step % 20 === 19) expectSameBytes(await readBack(disk, 0, length), model, `after step ${step}`)
  }
}

interface Step {
  readonly offset: number
  readonly bytes: number
  readonly action: number
  readonly value: number
}

async function playStep(
  image: ContractImage,
  disk: BlockBackend,
  model: Uint8Array,
  step: Step,
): Promise<BlockBackend> {
  const { offset, bytes, action, value } = step
  if (action < 10) {
    await disk.write(offset, filled(value, bytes))
    model.fill(value, offset, offset + bytes)
  } else if (action < 15) {
    await disk.writeZeroes(offset, bytes, { mayUnmap: action % 2 === 0 })
    model.fill(0, offset, offset + bytes)
  } else if (action < 17) {
    expectSameBytes(await readBack(disk, offset, bytes), model.subarray(offset, offset + bytes), 'a read on the way')
  } else if (action === 17) {
    await disk.discard(offset, bytes)
    await disk.write(offset, filled(value, bytes))
    model.fill(value, offset, offset + bytes)
  } else if (action === 18) {
    await disk.flush()
  } else {
    return image.reopen()
  }
  return disk
}

/** Each stripe of the disk belongs to one writer, so that the end does not depend on who comes first. */
async function playParallel(image: ContractImage, choose: Random): Promise<void> {
  const writers = 16
  const stripe = length / writers
  const model = new Uint8Array(length)
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let i = 0; i < 12; i++) {
        const offset = writer * stripe + choose.below(stripe - 9000)
        const bytes = 1 + choose.below(9000)
        const value = 1 + choose.below(255)
        const zero = choose.chance(0.2)
        model.fill(zero ? 0 : value, offset, offset + bytes)
        await (zero ? image.disk.writeZeroes(offset, bytes) : image.disk.write(offset, filled(value, bytes)))
      }
    }),
  )
  expectSameBytes(await readBack(image.disk, 0, length), model, 'after parallel writes')
  const again = await image.reopen()
  expectSameBytes(await readBack(again, 0, length), model, 'after reopening')
}
