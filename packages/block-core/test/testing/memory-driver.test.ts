// The memory driver passes the suite that every driver passes, with and without zero writes, and with large sectors.
import { describe, test } from 'vitest'
import { createBlockGraph } from '../../src/index.ts'
import { contractCases } from '../../src/testing/contract/contract.ts'
import { type MemoryOptions, MemoryStore, memory } from '../../src/testing/memory-driver.ts'

async function make(bytes: number, options: Omit<MemoryOptions, 'store'>) {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const store = new MemoryStore(bytes)
  const open = () => graph.open(memory(store, options), { unmap: true })
  let disk = await open()
  return {
    disk,
    reopen: async () => {
      await disk.close()
      disk = await open()
      return disk
    },
    cleanUp: () => graph.close(),
  }
}

const variants: Record<string, Omit<MemoryOptions, 'store'>> = {
  bytes: {},
  'no zero writes': { zeroes: false },
  '512-byte sectors': { requestAlignment: 512 },
  '4096-byte sectors, no zero writes': { requestAlignment: 4096, zeroes: false },
}

for (const [name, options] of Object.entries(variants)) {
  describe(`memory driver, ${name}`, () => {
    for (const { name, run } of contractCases({ make: (bytes) => make(bytes, options), seed: 7 })) test(name, run)
  })
}
