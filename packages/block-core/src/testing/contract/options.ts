/** Contract cases: options, probing, and names that reopen the same bytes. */

import type { OptionSpec } from '../../options/schema.ts'
import { MemoryStore } from '../memory-driver.ts'
import { expectSameBytes, stamped } from '../patterns.ts'
import { random } from '../seed.ts'
import { demand, expectErrno, KiB, readAll, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract } from './types.ts'

/** Cases about how an image is described. */
export function optionCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const seed = contract.seed ?? 1
  return [
    make.stored('every option is described once', async ({ driver }) => {
      for (const schema of [driver.options, driver.create?.options ?? {}]) {
        const rows = Object.values<OptionSpec>(schema)
        const names = rows.map(({ name }) => name)
        demand(new Set(names).size === names.length, `an option is described twice: ${names.join(', ')}`)
        for (const { name, help } of rows) demand(name !== '' && help !== '', `option '${name}' has no help`)
      }
    }),
    make.stored('an option that the driver does not know is refused, and nothing stays open', async (storage) => {
      await expectRefused(storage, 'no-such-option', 'on')
    }),
    make.stored('an option of the wrong type is refused, and nothing stays open', async (storage) => {
      for (const { name, type } of Object.values<OptionSpec>(storage.driver.options)) {
        if (type === 'string' || type === 'string-list') continue
        if (type === 'dict-list') await expectRefused(storage, `${name}.0.no-such-key`, 'on')
        else if (type === 'node') await expectRefused(storage, `${name}.no-such-option`, 'on')
        else await expectRefused(storage, name, 'no such value')
      }
    }),
    make.stored(`probing knows its own images, and nothing else (seed ${seed})`, (storage) => probes(storage, seed)),
    make.stored('the file name reopens the same bytes', (storage) => reopensByName(storage, contract)),
  ]
}

async function expectRefused(storage: ContractStorage, name: string, value: string): Promise<void> {
  const store = new MemoryStore(await storage.image(64 * KiB))
  const before = store.bytes()
  const error = await expectErrno(['EINVAL', 'ENOTSUP'], async () => {
    const { close } = await storage.open(store, { options: { [name]: value } })
    await close()
    throw new Error(`${name}=${value} was accepted`)
  })
  demand(error.message !== '', `${name}=${value} is refused without a word`)
  expectSameBytes(store.bytes(), before, 'the file of an image that was not opened')
}

async function probes({ driver, image }: ContractStorage, seed: number): Promise<void> {
  const { probe, kind } = driver
  if (probe === undefined) {
    demand(kind !== 'format' || driver.create === undefined, 'a format that creates images must probe them')
    return
  }
  const head = (await image(64 * KiB)).slice(0, 512)
  const own = probe(head, 'disk')
  demand(own > 0 && own <= 100, `its own image scores ${own}`)
  const choose = random(seed)
  const noise = Array.from({ length: 50 }, () => Uint8Array.from({ length: 512 }, () => choose.below(256)))
  for (const other of [...noise, new Uint8Array(512), new Uint8Array(0)]) {
    const score = probe(other, undefined)
    // 1 is the score of a format that fits everything (raw).
    demand(score === 0 || (score === 1 && own === 1), `noise scores ${score}, its own image ${own}`)
  }
  // A short file must not make it read past the end.
  for (let bytes = 0; bytes < 512; bytes += 13) {
    const score = probe(head.subarray(0, bytes), undefined)
    demand(score >= 0 && score <= 100, `${bytes} bytes score ${score}`)
  }
  demand(probe(head, 'disk') === own, 'the same bytes score differently the second time')
}

async function reopensByName(storage: ContractStorage, { can }: DriverContract): Promise<void> {
  const store = new MemoryStore(await storage.image(128 * KiB))
  if (can?.write !== false) {
    await withStored(storage, store, {}, async ({ disk }) => disk.write(0, stamped(0, 128 * KiB, 9)))
  }
  await withStored(storage, store, { readOnly: true }, async ({ disk, graph }) => {
    const { filename, driverName } = disk.root
    if (filename === '') return
    const format = filename.startsWith('json:') ? {} : { format: driverName }
    const expected = await readAll(disk)
    // Writable where that can be: not every driver opens read-only.
    const again = await graph.open(filename, { ...format, readOnly: can?.write === false })
    expectSameBytes(await readAll(again), expected, `what ${filename} opens`)
    await again.close()
  })
}
