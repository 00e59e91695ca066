/** Proves that qcow2 does what every driver must do, with the guest's data in a file of its own. */

import { type AnyDriver, type BlockLayer, defineDriver } from '@blocklayer/block-core/driver'
import { contractCases, driverContract, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { qcow2Driver } from '../src/index.ts'
import { newImage } from './helpers/disk.ts'

/** A protocol whose only file is the data file of the image that was made last. */
class DataBeside {
  store: MemoryStore = new MemoryStore()
  readonly driver: AnyDriver = defineDriver<Record<string, never>>({
    formatName: 'beside',
    kind: 'protocol',
    options: {},
    open: async (context): Promise<BlockLayer> => {
      const spec = memory(this.store)
      return spec.driver.open(context, spec.options)
    },
  })
}

const shapes: readonly { readonly name: string; readonly create: Qcow2CreateOptions }[] = [
  { name: 'the defaults', create: {} },
  { name: 'raw', create: { dataFileRaw: true, clusterSize: 4096 } },
  { name: 'lazy refcounts, 512-byte clusters', create: { lazyRefcounts: true, clusterSize: 512 } },
]

/** Cases that this setting cannot show. */
function isElsewhere(name: string, isRaw: boolean): boolean {
  // The contract cuts the power of one file: `data-file.power-loss.test.ts` does it to both.
  if (name.includes('power cut')) return true
  // A file name does not say where the data is, and the one in the image is not opened here.
  if (name === 'the file name reopens the same bytes') return true
  // What a raw data file shows is what the guest sees: nothing can show through.
  return isRaw && (name.includes('backing file') || name.includes('shows through') || name.includes('lies beneath'))
}

describe.each(shapes)('a data file: $name', ({ create }) => {
  const beside = new DataBeside()
  const image = async (bytes: number): Promise<Uint8Array> => {
    // The file shows something wherever the image does not hide it.
    beside.store = new MemoryStore(new Uint8Array(bytes).fill(create.dataFileRaw === true ? 0 : 0xee))
    return newImage(bytes, { ...create, dataFile: 'data' })
  }
  const options = { 'data-file.driver': 'beside' }
  const can = { check: true, makeEmpty: true, switchMode: true }
  const contract = driverContract(qcow2Driver, { image, options, drivers: [beside.driver], can })
  for (const { name, run } of contractCases(contract)) {
    if (!isElsewhere(name, create.dataFileRaw === true)) test(name, run)
  }
})
