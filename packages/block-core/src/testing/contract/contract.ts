/** What every driver must do: cases that any test framework can run. */

import { dataCases } from './data.ts'
import { randomCases } from './random-history.ts'
import { statusCases } from './status.ts'
import type { ContractCase, DriverContract, ImageCase } from './types.ts'
import { zeroCases } from './zeroes.ts'

/**
 * All cases that the driver's declared capabilities allow.
 *
 * @example
 * for (const { name, run } of contractCases({ make })) test(name, run)
 */
export function contractCases(contract: DriverContract): readonly ContractCase[] {
  const own = (name: string, bytes: number, body: ImageCase): ContractCase => ({
    name,
    run: async () => {
      const image = await contract.make(bytes)
      try {
        await body(image)
      } finally {
        await image.cleanUp()
      }
    },
  })
  return [dataCases, zeroCases, statusCases, randomCases].flatMap((cases) => cases(contract, own))
}
