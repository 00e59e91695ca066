// Every request of an operation fails in its turn, and the lab notices what must not be: a quiet failure, a wrong code, lost
// data, a node that half works.
import { expect, test } from 'vitest'
import { BlockError, createBlockGraph } from '../../../src/index.ts'
import { exploreFaults, type FaultVerdict, judgeFaultNamed } from '../../../src/testing/crash/faults.ts'
import type { CrashOperation, OpenSubject } from '../../../src/testing/crash/subject.ts'
import { memory } from '../../../src/testing/memory-driver.ts'
import { filled } from '../../../src/testing/patterns.ts'

async function openMemory(disks: Parameters<CrashOperation['open']>[0]): Promise<OpenSubject> {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  return { disk: await graph.open(memory(disks[0]!)), close: () => graph.close() }
}

const honest: CrashOperation = {
  name: 'two writes',
  diskNames: ['image'],
  prepare: async () => [filled(9, 2048)],
  open: openMemory,
  run: async ({ disk }, guest) => {
    await guest.write(0, filled(1, 1024))
    await guest.flush()
    await guest.act(() => disk.writeZeroes(512, 1024))
  },
}

const problemsOf = async (operation: CrashOperation): Promise<string[]> => {
  const { violations } = await exploreFaults(operation)
  return [...new Set(violations.flatMap(({ problems }) => problems))]
}

test('an honest disk: every request fails in its turn, and nothing is wrong', async () => {
  const seen: FaultVerdict[] = []
  const { requests, violations } = await exploreFaults(honest, { onVerdict: (verdict) => void seen.push(verdict) })
  expect(violations).toEqual([])
  expect(seen).toHaveLength(requests)
  // Per code, once and for good: a write and a zero write, two flushes; what the lab reads to look is no request.
  expect(seen.map(({ id }) => id).filter((id) => id.includes(':EIO:once:'))).toEqual([
    'write:EIO:once:0',
    'write:EIO:once:1',
    'flush:EIO:once:0',
    'flush:EIO:once:1',
  ])
})

test('a failure that is kept quiet', async () => {
  const quiet: CrashOperation = {
    ...honest,
    run: async ({ disk }, guest) => {
      await guest.write(0, filled(1, 512))
      await guest.act(() => disk.write(512, filled(2, 512)).catch(() => {}))
    },
  }
  expect(await problemsOf(quiet)).toContain(
    'through the open node: guest sector 1 begins with 0909090909090909, expected 0202020202020202',
  )
})

test('a failure under another code, and one without a fault', async () => {
  const wrong: CrashOperation = {
    ...honest,
    run: async (_, guest) => {
      await guest.write(0, filled(1, 512)).catch(() => {
        throw new BlockError('EPERM', 'Operation not permitted')
      })
    },
  }
  expect(await problemsOf(wrong)).toEqual([
    'the failure is reported as EPERM, not as EIO',
    'the failure is reported as EPERM, not as ENOSPC',
  ])
  let runs = 0
  const always: CrashOperation = {
    ...honest,
    run: () => (runs++ === 0 ? Promise.resolve() : Promise.reject(BlockError.fromErrno('EINVAL'))),
  }
  expect(await problemsOf(always)).toEqual(['without a fault it failed: EINVAL'])
})

test('a node that does not go on working', async () => {
  const broken: CrashOperation = {
    ...honest,
    open: async (disks) => {
      const image = await openMemory(disks)
      const { disk } = image
      const write = disk.write.bind(disk)
      let failed = false
      disk.write = async (...request) => {
        await write(...request).catch((error: unknown) => {
          failed = true
          throw error
        })
      }
      disk.flush = async () => {
        if (failed) throw BlockError.fromErrno('EIO')
      }
      return image
    },
  }
  expect(await problemsOf(broken)).toContain('the open node does not work any more: Input/output error')
})

test('a node that takes writes after a failure, and forgets them', async () => {
  const forgetful: CrashOperation = {
    ...honest,
    open: async (disks) => {
      const image = await openMemory(disks)
      const { disk } = image
      const write = disk.write.bind(disk)
      let failed = false
      disk.write = async (...request) => {
        if (failed) return
        await write(...request).catch((error: unknown) => {
          failed = true
          throw error
        })
      }
      return image
    },
  }
  expect(await problemsOf(forgetful)).toContain(
    'guest sector 3 begins with 0909090909090909, expected a7a7a7a7a7a7a7a7',
  )
})

test('a node that takes no writes after a failure', async () => {
  const shut: CrashOperation = {
    ...honest,
    open: async (disks) => {
      const image = await openMemory(disks)
      const { disk } = image
      const write = disk.write.bind(disk)
      let failed = false
      disk.write = async (...request) => {
        if (failed) throw BlockError.fromErrno('EPERM')
        await write(...request).catch((error: unknown) => {
          failed = true
          throw error
        })
      }
      return image
    },
  }
  expect(await problemsOf(shut)).toContain('the open node takes no more writes: Operation not permitted')
})

test('a read that fails in a repair is an input/output error, whatever its own code', async () => {
  const repairs: CrashOperation = {
    ...honest,
    run: async ({ disk }) => {
      await disk.read(0, new Uint8Array(512)).catch(() => {
        throw BlockError.fromErrno('EIO')
      })
    },
  }
  expect(await problemsOf(repairs)).toEqual([])
})

test('one fault again, by its name', async () => {
  expect(await judgeFaultNamed(honest, 'write:EIO:good:1')).toEqual({ id: 'write:EIO:good:1', problems: [] })
  await expect(judgeFaultNamed(honest, 'write:EIO')).rejects.toThrow("'write:EIO' names no fault")
})
