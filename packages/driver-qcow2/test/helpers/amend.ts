/** Amending under power cuts and failing requests: the image passes a check, and the guest sees what it saw, whatever happens. */

import { amendImage, type AmendedOptions, showSnapshot } from '@blocklayer/block-core'
import { expectSameBytes, FaultStore, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { expect } from 'vitest'
import { checkStore, type OpenDisk, openDisk, readAll } from './disk.ts'

/** What the guest sees: the disk, and its snapshots in order. */
export interface Content {
  readonly disk: Uint8Array
  readonly snapshots: readonly Uint8Array[]
}

/** The content of the image in `store`. */
export async function contentOf(store: MemoryStore, backing?: MemoryStore): Promise<Content> {
  const opened = await openDisk(store, { readOnly: true, backing })
  const disk = await readAll(opened.disk)
  const snapshots: Uint8Array[] = []
  for (const { id } of opened.disk.info.snapshots ?? []) {
    const view = await openDisk(store, { readOnly: true, backing })
    await showSnapshot(view.disk, id)
    snapshots.push(await readAll(view.disk))
    await view.close()
  }
  await opened.close()
  return { disk, snapshots }
}

/** Fails unless the image shows `content`. */
export async function expectContent(
  store: MemoryStore,
  content: Content,
  what: string,
  backing?: MemoryStore,
): Promise<void> {
  const now = await contentOf(store, backing)
  expectSameBytes(now.disk, content.disk, what)
  expect(now.snapshots.length).toBe(content.snapshots.length)
  now.snapshots.forEach((snapshot, index) => {
    expectSameBytes(snapshot, content.snapshots[index]!, `${what}: snapshot ${index}`)
  })
}

/** An amendment that is tried under bad conditions. */
export interface Trial {
  readonly image: Uint8Array
  readonly options: AmendedOptions
  readonly backing?: MemoryStore | undefined
  /** Facts of which only the old or the new ones may be seen: never a third. */
  facts(opened: OpenDisk): unknown
}

/** Every state that a power cut leaves: no corruption, the same content, the old facts or the new. @returns their number */
export async function expectSurvivesPowerCuts({ image, options, backing, facts }: Trial): Promise<number> {
  const content = await contentOf(new MemoryStore(image), backing)
  const store = new PowerLossStore(image)
  const opened = await openDisk(store, { backing })
  const before = JSON.stringify(facts(opened))
  await amendImage(opened.disk, options)
  const after = JSON.stringify(facts(opened))
  await opened.close()
  const seen = new Set<string>()
  let states = 0
  for (const { name, store: cut } of store.crashStates({ tear: 512, exhaustive: 6, samples: 10 })) {
    states++
    await expectContent(cut, content, name, backing)
    const again = await openDisk(cut, { backing })
    seen.add(JSON.stringify(facts(again)))
    await again.close()
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    await expectContent(cut, content, `${name}, opened once`, backing)
  }
  expect([...seen].sort()).toEqual([...new Set([before, after])].sort())
  return states
}

/** The 1st, 2nd, 3rd… request fails: no corruption, the same content. @returns how many attempts failed */
export async function expectSurvivesFailures({ image, options, backing }: Trial, forGood: boolean): Promise<number> {
  const content = await contentOf(new MemoryStore(image), backing)
  let failures = 0
  for (let index = 0; ; index++) {
    const store = new FaultStore(image)
    const opened = await openDisk(store, { backing })
    store.arm({ index, forGood, code: 'EIO' })
    await amendImage(opened.disk, options).catch(() => {
      failures++
    })
    const { hit } = store
    store.disarm()
    expectSameBytes(await readAll(opened.disk), content.disk, `request ${index}`)
    await opened.close().catch(() => {})
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, corruptions: 0, checkErrors: 0 })
    await expectContent(store, content, `request ${index}`, backing)
    if (!hit) return failures
  }
}
