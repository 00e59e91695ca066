// Random histories with the power cut at every moment: what had returned before a flush began is there in every state
// that a cut after that flush can leave, however writes and flushes of several users cross each other.
import { expect, test } from 'vitest'
import { defineDriver, nodeSpec } from '../../src/driver.ts'
import { Permissions } from '../../src/index.ts'
import { PowerLossStore } from '../../src/testing/power-loss.ts'
import { type Random, random } from '../../src/testing/seed.ts'
import { filterOver } from '../helpers/filter.ts'
import { openSpec } from '../helpers/open-recorder.ts'

const sector = 512

/** Knows in which interval between two flushes it is. */
class Disk extends PowerLossStore {
  interval = 0
  #isChanged = false

  override write(offset: number, data: Uint8Array): void {
    super.write(offset, data)
    this.#isChanged = true
  }

  override flush(): void {
    super.flush()
    if (this.#isChanged) this.interval++
    this.#isChanged = false
  }
}

/** A protocol that takes its time before and after the disk does its work. */
const slow = defineDriver<{ disk: Disk; choose: Random }, never>({
  formatName: 'slow',
  kind: 'protocol',
  options: {
    disk: { name: 'disk', type: 'string', help: 'only in code' },
    choose: { name: 'choose', type: 'string', help: 'only in code' },
  },
  async open(_context, { disk, choose }) {
    const pause = async () => {
      for (let turns = choose.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    }
    return {
      get length() {
        return disk.length
      },
      read: async (offset, into) => disk.read(offset, into),
      flushToDisk: async () => {
        await pause()
        disk.flush()
        await pause()
      },
      writer: {
        write: async (offset, data) => {
          await pause()
          disk.write(offset, data)
          await pause()
        },
      },
      close: async () => {},
    }
  },
})

interface Promised {
  /** No cut from this interval on may lose the sectors. */
  readonly interval: number
  readonly sectors: readonly number[]
}

/** Several users write each sector once, flush now and then, and remember what a flush promised them. */
async function play(choose: Random): Promise<{ disk: Disk; promises: Promised[] }> {
  const sectors = 48
  const disk = new Disk(sectors * sector)
  await using opened = await openSpec(filterOver(filterOver(nodeSpec(slow, { disk, choose }))))
  const permissions = { taken: Permissions.consistentRead | Permissions.write, shared: Permissions.all }
  const users = [opened.disk, opened.graph.backend(opened.node, { permissions })]
  const returned: number[] = []
  const promises: Promised[] = []
  let next = 0
  const work = async (user: (typeof users)[number]) => {
    while (next < sectors) {
      const mine = next++
      const fua = choose.chance(0.1)
      await user.write(mine * sector, new Uint8Array(sector).fill(mine + 1), { fua })
      if (fua) promises.push({ interval: disk.interval, sectors: [mine] })
      returned.push(mine)
      if (choose.chance(0.4)) continue
      const before = [...returned]
      await user.flush()
      promises.push({ interval: disk.interval, sectors: before })
    }
  }
  await Promise.all([...users, ...users, ...users].map(work))
  return { disk, promises }
}

test.each([1, 2, 3, 4, 5])('what a flush promised is kept, seed %d', async (seed) => {
  const { disk, promises } = await play(random(seed))
  expect(promises.length).toBeGreaterThan(10)
  for (const { name, store } of disk.crashStates({ seed, exhaustive: 6, samples: 16 })) {
    const interval = Number(name.slice(0, name.indexOf(':')))
    const bytes = store.bytes()
    for (const promised of promises) {
      if (promised.interval > interval) continue
      const lost = promised.sectors.find((each) => bytes[each * sector] !== each + 1)
      if (lost !== undefined)
        expect.fail(`cut ${name} loses sector ${lost}, which interval ${promised.interval} promised`)
    }
  }
})
