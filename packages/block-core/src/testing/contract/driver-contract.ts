/** Builds the contract of a format or filter over files in memory. */

import type { AnyDriver } from '../../driver/block-driver.ts'
import { createBlockGraph } from '../../graph/block-graph.ts'
import type { FlatOptions, OptionScalar, OptionSpec } from '../../options/schema.ts'
import { MemoryStore, memory } from '../memory-driver.ts'
import { MemoryFiles } from '../memory-files.ts'
import type {
  ContractImage,
  ContractStorage,
  CreationValues,
  DriverAbilities,
  DriverContract,
  StoredImage,
  StoredOpenOptions,
} from './types.ts'

/** How a driver is to be tried. */
export interface DriverContractOptions {
  /** Creation options, in text form: `{ cluster_size: 4096 }`. */
  readonly create?: CreationValues
  /** Runtime options, in text form: `{ offset: 1024 }`. */
  readonly options?: Readonly<Record<string, OptionScalar>>
  /** Other drivers that the options name. */
  readonly drivers?: readonly AnyDriver[]
  readonly can?: DriverAbilities
  readonly seed?: number
  /** Content of the file for a disk of `bytes` bytes. Default: what the driver creates; without creation, `bytes` zeroes. */
  readonly image?: (bytes: number) => Uint8Array | Promise<Uint8Array>
}

/**
 * The contract of a driver that has one child (`file`, `image` …), over files in memory.
 *
 * @example
 * import { test } from 'node:test'
 * import { contractCases, driverContract } from '@blocklayer/block-core/testing'
 * import { qcow2Driver } from '@blocklayer/driver-qcow2'
 *
 * const contract = driverContract(qcow2Driver, { create: { cluster_size: 4096 }, can: { check: true } })
 * for (const { name, run } of contractCases(contract)) test(name, run)
 */
export function driverContract(driver: AnyDriver, options: DriverContractOptions = {}): DriverContract {
  const storage: ContractStorage = {
    driver,
    create: options.image === undefined && driver.create !== undefined ? (options.create ?? {}) : undefined,
    image: (bytes) => newImage(driver, options, bytes),
    open: (store, how = {}) => openStored(driver, options, store, how),
  }
  return {
    make: async (bytes) => makeImage(storage, new MemoryStore(await storage.image(bytes)), options.can ?? {}),
    storage,
    ...(options.can === undefined ? {} : { can: options.can }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  }
}

/** The file that every image of the suite is in. */
export const imageName = 'mem:disk'

async function newImage(driver: AnyDriver, options: DriverContractOptions, bytes: number): Promise<Uint8Array> {
  if (options.image !== undefined) return await options.image(bytes)
  if (driver.create === undefined) return new Uint8Array(bytes)
  const files = new MemoryFiles()
  await using graph = createBlockGraph({ drivers: [files.driver, driver], implicitOpen: 'deny' })
  await graph.create(driver.formatName, imageName, { size: bytes, options: options.create ?? {} })
  return files.stores.get('disk')!.bytes()
}

async function openStored(
  driver: AnyDriver,
  contract: DriverContractOptions,
  store: MemoryStore,
  { readOnly = false, check = false, pace, backing, options = {} }: StoredOpenOptions,
): Promise<StoredImage> {
  const files = new MemoryFiles(pace === undefined ? {} : { pace })
  files.stores.set('disk', store)
  const graph = createBlockGraph({ drivers: [files.driver, driver, ...(contract.drivers ?? [])], implicitOpen: 'deny' })
  const flat: FlatOptions = new Map([
    ['driver', driver.formatName],
    [`${childOption(driver)}.driver`, 'mem'],
    [`${childOption(driver)}.filename`, 'disk'],
    ...Object.entries({ ...contract.options, ...options }),
  ])
  const { write, readOnly: canReadOnly } = contract.can ?? {}
  const isReadOnly = write === false || (readOnly && canReadOnly !== false)
  try {
    const disk = await graph.open(flat, {
      readOnly: isReadOnly,
      unmap: true,
      check,
      ...(backing === undefined ? {} : { backing: memory(new MemoryStore(backing)) }),
    })
    return { disk, graph, files, close: () => graph.close() }
  } catch (error) {
    await graph.close()
    throw error
  }
}

/** The option that takes the driver's file: `file` or `image`, or else its first child. */
function childOption(driver: AnyDriver): string {
  const names = Object.values<OptionSpec>(driver.options)
    .filter(({ type }) => type === 'node')
    .map(({ name }) => name)
  return names.find((name) => name === 'file' || name === 'image') ?? names[0] ?? 'file'
}

async function makeImage(storage: ContractStorage, store: MemoryStore, can: DriverAbilities): Promise<ContractImage> {
  const how = { readOnly: can.write === false }
  let opened = await storage.open(store, how)
  return {
    get disk() {
      return opened.disk
    },
    reopen: async () => {
      await opened.close()
      opened = await storage.open(store, how)
      return opened.disk
    },
    cleanUp: () => opened.close(),
  }
}
