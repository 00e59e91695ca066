/**
 * Proves what a power cut leaves while a snapshot is made, applied or deleted: the disk, every snapshot, and each of them
 * after the next writes, always hold what they must. A version 3 image is clean after at most the repair at open. In
 * version 2, which has no mark that leads to one, a check may find COPIED flags that disagree with the counts, and
 * nothing else; a repair mends them.
 */

import { MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkStore, openDisk } from '../../helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'
import {
  type SnapshotImage,
  type SnapshotStep,
  small,
  snapshotSteps,
  verifySnapshots,
  withOld,
} from '../../helpers/snapshot-steps.ts'

const version2 = { clusterSize: 1024, compat: '0.10' } as const

async function cutsOf(made: SnapshotImage, { run }: SnapshotStep): Promise<{ name: string; store: MemoryStore }[]> {
  const store = new PowerLossStore(made.image)
  const opened = await openDisk(store)
  await run(opened.disk)
  await opened.close()
  return [...store.crashStates({ tear: 512 })]
}

test.each(snapshotSteps)('$name, version 3', async (step) => {
  const made = await withOld(small)
  const cuts = await cutsOf(made, step)
  expect(cuts.length).toBeGreaterThan(20)
  for (const { name, store } of cuts) {
    await verifySnapshots(store, name, made)
    expect({ name, ...(await checkStore(store)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
  }
})

/** What a check says of one flag, places and numbers left out. */
function kindOf(line: string): string {
  const flag = /^ERROR OFLAG_COPIED (data|L2) cluster: .*entry=(\w+) refcount=(\d+)$/.exec(line)
  return flag === null
    ? line
    : `${flag[1]}: count ${flag[3]}, ${/^[89a-f]\w{15}$/.test(flag[2]!) ? 'COPIED' : 'not COPIED'}`
}

/**
 * Count and flag of a cluster lie in different clusters of the image, and a check calls both ways of disagreeing a
 * corruption: whichever is written first, a cut in between is seen. Applying only switches tables, and changes no flag.
 */
const seen: Readonly<Record<string, readonly string[]>> = {
  create: ['L2: count 2, COPIED', 'data: count 1, not COPIED'],
  apply: [],
  delete: ['data: count 2, COPIED'],
}

async function repair(store: MemoryStore): Promise<MemoryStore> {
  const mended = new MemoryStore(store.bytes())
  const opened = await openDisk(mended, { check: true })
  await opened.disk.check({ repair: 'all' })
  await opened.close()
  return mended
}

test.each(snapshotSteps)('$name, version 2: flags may disagree with counts, and nothing else', async (step) => {
  const made = await withOld(version2)
  const kinds = new Set<string>()
  for (const { name, store } of await cutsOf(made, step)) {
    const { corruptions, checkErrors, lines } = await checkStore(store)
    const errors = lines.filter((line) => line.startsWith('ERROR'))
    for (const line of errors) kinds.add(kindOf(line))
    expect({ name, checkErrors, corruptions }).toEqual({ name, checkErrors: 0, corruptions: errors.length })
    if (corruptions > 0) {
      const mended = await repair(store)
      expect({ name, ...(await checkStore(mended)) }).toMatchObject({ name, corruptions: 0, leaks: 0, checkErrors: 0 })
      await verifySnapshots(mended, `${name}, mended`, made)
    }
    // Without a repair, too: this writes to the image.
    await verifySnapshots(store, name, made)
  }
  expect([...kinds].sort()).toEqual(seen[step.name])
})

describeWithReference('the reference', () => {
  test.each(snapshotSteps)('sees the same after a cut, and mends it: $name', async (step) => {
    using folder = new TemporaryFolder()
    const path = folder.file('image')
    const kinds = new Set<string>()
    const cuts = await cutsOf(await withOld(version2), step)
    for (const { store } of cuts.filter((_, at) => at % Math.ceil(cuts.length / 8) === 1)) {
      writeFileSync(path, store.bytes())
      const { err } = qemuImg('check', path)
      for (const line of err.split('\n').filter((each) => each.startsWith('ERROR'))) kinds.add(kindOf(line))
      qemuImg('check', '-r', 'all', path)
      expect(qemuImg('check', path)).toMatchObject({ code: 0, err: '' })
    }
    expect(seen[step.name]).toEqual(expect.arrayContaining([...kinds]))
  })
})
