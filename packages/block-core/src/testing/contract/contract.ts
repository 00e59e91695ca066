/** What every driver must do: cases that any test framework can run. */

import { BlockError } from '../../errors.ts'
import { seeds } from '../seed.ts'
import { backingCases } from './backing.ts'
import { concurrencyCases } from './concurrency.ts'
import { creationCases } from './creation.ts'
import { dataCases } from './data.ts'
import { durabilityCases } from './durability.ts'
import { faultCases } from './faults.ts'
import { lifeCycleCases } from './life-cycle.ts'
import { maintenanceCases } from './maintenance.ts'
import { optionCases } from './options.ts'
import { randomCases } from './random-history.ts'
import { isRefusal } from './read-back.ts'
import { statusCases } from './status.ts'
import { truncateCases } from './truncate.ts'
import type { CaseMaker, ContractCase, DriverContract } from './types.ts'
import { zeroCases } from './zeroes.ts'

/** A section of the suite. */
type Section = (contract: DriverContract, make: CaseMaker) => readonly ContractCase[]

const sections: readonly Section[] = [
  dataCases,
  zeroCases,
  truncateCases,
  statusCases,
  lifeCycleCases,
  maintenanceCases,
  optionCases,
  creationCases,
  backingCases,
  concurrencyCases,
  durabilityCases,
  faultCases,
  randomCases,
]

/**
 * All cases. What a driver declares it cannot do must be refused; what cannot be tried is skipped, and its name says why.
 *
 * @example
 * import { test } from 'node:test'
 * import { contractCases, driverContract } from '@blocklayer/block-core/testing'
 * import { rawDriver } from '@blocklayer/driver-raw'
 *
 * for (const { name, run } of contractCases(driverContract(rawDriver))) test(name, run)
 */
export function contractCases(contract: DriverContract): readonly ContractCase[] {
  const seeded = { ...contract, seed: contract.seed ?? seeds(1)[0]! }
  const maker = caseMaker(seeded)
  return sections.flatMap((cases) => cases(seeded, maker))
}

function caseMaker(contract: DriverContract): CaseMaker {
  const skip = (name: string, skipped: string): ContractCase => ({
    name: `${name} (skipped: ${skipped})`,
    skipped,
    run: async () => {},
  })
  return {
    skip,
    image: (name, bytes, body) => ({
      name,
      run: async () => {
        const image = await contract.make(bytes)
        try {
          await withAdvice(() => body(image))
        } finally {
          await image.cleanUp()
        }
      },
    }),
    stored: (name, body) => {
      const { storage } = contract
      if (storage === undefined) return skip(name, 'the contract names no storage beneath the driver')
      return { name, run: () => withAdvice(() => body(storage)) }
    },
  }
}

/** The author of a driver that lacks something has yet to learn where that is said. */
async function withAdvice(body: () => Promise<void>): Promise<void> {
  try {
    await body()
  } catch (error) {
    if (!(error instanceof BlockError) || !isRefusal(error)) throw error
    const advice =
      'what the driver is not to do has to be declared, as in can: { truncate: false } (see DriverAbilities)'
    throw new BlockError(error.code, `${error.message}; ${advice}`, { cause: error })
  }
}
