/** Contract cases: new images. */

import { BlockError } from '../../errors.ts'
import { createBlockGraph } from '../../graph/block-graph.ts'
import { measureImage } from '../../graph/measure.ts'
import { FaultStore, forEachFault } from '../fault-plan.ts'
import { MemoryStore } from '../memory-driver.ts'
import { MemoryFiles } from '../memory-files.ts'
import { imageName } from './driver-contract.ts'
import { demand, expectErrno, expectSound, KiB, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract } from './types.ts'

/** Cases about creating. */
export function creationCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const { storage } = contract
  if (storage !== undefined && storage.create === undefined) {
    return [make.skip('new images', 'the driver creates none, or the contract brings its own')]
  }
  return [
    make.stored('a new image has the length that was asked for', async (here) => {
      for (const bytes of [0, 512, 64 * KiB + 512, 1024 * KiB]) {
        const files = new MemoryFiles()
        await create(here, files, bytes)
        const store = new MemoryStore(files.stores.get('disk')!.bytes())
        await withStored(here, store, { readOnly: true }, async ({ disk }) => {
          demand(disk.length === bytes, `an image of ${bytes} bytes is ${disk.length} long`)
        })
        await expectSound(here, store, `a new image of ${bytes} bytes`)
      }
    }),
    make.stored('a creation option that the driver does not know is refused, and no file is made', async (here) => {
      const files = new MemoryFiles()
      await expectErrno('EINVAL', () => create(here, files, 64 * KiB, { no_such_option: 'on' }))
      demand(files.stores.size === 0, 'a file was made')
    }),
    make.stored('a creation that fails leaves no file', async (here) => {
      // None at all for a format whose image is nothing but its file: its driver makes that (`CreateContext.makeFile`).
      await forEachFault((index) => failCreation(here, index))
    }),
    make.stored('the size that is foretold is enough', foretells),
  ]
}

async function create(
  { driver, create: given }: ContractStorage,
  files: MemoryFiles,
  size: number,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using graph = createBlockGraph({ drivers: [files.driver, driver], implicitOpen: 'deny' })
  await graph.create(driver.formatName, imageName, { size, options: { ...given, ...more } })
}

async function failCreation(storage: ContractStorage, index: number): Promise<boolean> {
  const made: FaultStore[] = []
  const files = new MemoryFiles({
    newStore: (bytes) => {
      const store = new FaultStore(bytes)
      store.arm({ index, code: 'ENOSPC', kinds: ['write', 'zero', 'resize', 'flush'] })
      made.push(store)
      return store
    },
  })
  let failure: unknown
  try {
    await create(storage, files, 256 * KiB)
  } catch (error) {
    failure = error
  }
  const hit = made.some((store) => store.hit)
  if (hit) demand(failure instanceof BlockError, `request ${index} of a creation failed, and nobody said so`)
  else if (failure !== undefined) throw failure
  demand(files.stores.size === (hit ? 0 : 1), `after request ${index} failed there are ${files.stores.size} files`)
  demand(files.openNodes === 0, `after request ${index} failed ${files.openNodes} files are open`)
  return hit
}

async function foretells(storage: ContractStorage): Promise<void> {
  const { driver, create: given } = storage
  if (driver.create?.measure === undefined) return
  const bytes = 1024 * KiB
  const { required, fullyAllocated } = await measureImage([driver], driver.formatName, { size: bytes, options: given })
  const { length } = await storage.image(bytes)
  demand(required <= fullyAllocated, `${required} bytes are required, ${fullyAllocated} when fully allocated`)
  demand(BigInt(length) <= fullyAllocated, `a new image takes ${length} bytes, ${fullyAllocated} were foretold`)
}
