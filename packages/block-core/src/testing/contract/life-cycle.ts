/** Contract cases: opening, switching modes, closing. */

import { reopenReadOnly } from '../../graph/operations.ts'
import { Permissions } from '../../node/permissions.ts'
import { MemoryStore } from '../memory-driver.ts'
import { expectSameBytes, filled } from '../patterns.ts'
import { contentOf, demand, expectErrno, ifAble, KiB, readAll, readBack, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract, StoredImage } from './types.ts'

/** Cases about a node's life. */
export function lifeCycleCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const canWrite = contract.can?.write !== false
  return [
    make.image('closing twice is closing once, and a closed image refuses everything', 64 * KiB, async ({ disk }) => {
      await disk.close()
      await disk.close()
      await expectErrno('ENOMEDIUM', () => disk.read(0, new Uint8Array(512)))
      await expectErrno('ENOMEDIUM', () => disk.write(0, filled(1, 512)))
      await expectErrno('ENOMEDIUM', () => disk.flush())
    }),
    make.image('closing waits for the requests under way', 256 * KiB, async (image) => {
      const { disk } = image
      const reads = Array.from({ length: 8 }, (_, i) => disk.read(i * 32 * KiB, new Uint8Array(32 * KiB)))
      const writes = canWrite ? [1, 2, 3].map((i) => disk.write(i * 50 * KiB, filled(i, 20 * KiB))) : []
      const closed = disk.close()
      await Promise.all([...reads, ...writes])
      await closed
      if (!canWrite) return
      const again = await image.reopen()
      for (const i of [1, 2, 3]) {
        expectSameBytes(await readBack(again, i * 50 * KiB, 20 * KiB), filled(i, 20 * KiB), `write ${i}`)
      }
    }),
    make.stored('nothing is left open, and nothing is asked of the file after closing', (storage) =>
      leavesNothing(storage, canWrite),
    ),
    ...(contract.can?.readOnly === false
      ? [make.skip('read-only images', 'the driver opens none')]
      : readOnlyCases(contract, make)),
  ]
}

function readOnlyCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const canWrite = contract.can?.write !== false
  return [
    make.stored('opening, reading and closing read-only changes no byte of the file', async (storage) => {
      const store = new MemoryStore(await storage.image(128 * KiB))
      const before = store.bytes()
      await withStored(storage, store, { readOnly: true }, async ({ disk }) => {
        await readAll(disk)
        await expectErrno(['EPERM', 'EACCES', 'EROFS', 'ENOTSUP'], () => disk.write(0, filled(1, 512)))
        await disk.flush()
      })
      expectSameBytes(store.bytes(), before, 'the file')
    }),
    canWrite
      ? make.stored(`an open image switches between read-only and writable${orNot(contract)}`, (storage) =>
          switches(storage, contract.can?.switchMode),
        )
      : make.skip('an open image switches between read-only and writable', 'the driver cannot write'),
  ]
}

function orNot({ can }: DriverContract): string {
  return can?.switchMode === true ? '' : can?.switchMode === false ? ': refused' : ', or says that it cannot'
}

async function leavesNothing(storage: ContractStorage, canWrite: boolean): Promise<void> {
  const store = new MemoryStore(await storage.image(128 * KiB))
  const { disk, graph, files, close } = await storage.open(store, { readOnly: !canWrite, pace: slowly })
  if (canWrite) {
    await disk.write(70_000, filled(5, 5000))
    await disk.writeZeroes(0, 64 * KiB)
  }
  await readAll(disk)
  await disk.close()
  demand(graph.nodes.length === 0, `${graph.nodes.length} nodes are left in the graph`)
  await close()
  // A few turns, for whoever did not wait for what it began.
  for (let i = 0; i < 10; i++) await slowly()
  demand(files.openNodes === 0, `${files.openNodes} files are left open`)
  demand(files.lateRequests === 0, `${files.lateRequests} requests were under way at the close, or came after it`)
}

/** So slow that whatever was not waited for is found under way. */
async function slowly(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
}

async function switches(storage: ContractStorage, declared: boolean | undefined): Promise<void> {
  const store = new MemoryStore(await storage.image(128 * KiB))
  await withStored(storage, store, {}, async ({ disk }) => disk.write(0, filled(1, 64 * KiB)))
  const opened = await storage.open(store, { readOnly: true })
  try {
    const { root } = opened.disk
    if (!(await ifAble(declared, 'switching', () => reopenReadOnly(root, false)))) return
    await writeOnce(opened, filled(2, 70_000))
    await expectSwitchedBack(opened)
  } finally {
    await opened.close()
  }
  const content = await contentOf(storage, store)
  expectSameBytes(content.subarray(1000, 71_000), filled(2, 70_000), 'written while it was writable')
  expectSameBytes(content.subarray(0, 1000), filled(1, 1000), 'written before')
}

/** Writes as a user of its own: the one who opened the image asked to read only. */
async function writeOnce({ disk, graph }: StoredImage, data: Uint8Array): Promise<void> {
  const { write, consistentRead, all } = Permissions
  const writer = graph.backend(disk.root, { permissions: { taken: write | consistentRead, shared: all } })
  await writer.write(1000, data)
  await writer.close()
}

async function expectSwitchedBack(opened: StoredImage): Promise<void> {
  const { root } = opened.disk
  await reopenReadOnly(root, true)
  demand(root.readOnly, 'the node is still writable')
  await expectErrno(['EPERM', 'EACCES'], async () => writeOnce(opened, filled(9, 512)))
  expectSameBytes(await readBack(opened.disk, 1000, 70_000), filled(2, 70_000), 'read-only again')
}
