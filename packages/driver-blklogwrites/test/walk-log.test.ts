/** Proves that a walk visits what the superblock counts, and refuses a log that is not all there or cannot be read. */

import { BlockError } from '@blocklayer/block-core/driver'
import { describe, expect, test } from 'vitest'
import { encodeEntry, encodeSuperblock } from '../src/format.ts'
import { type LogSource, loadSuperblock, walkLog } from '../src/walk-log.ts'

const sectorSize = 64
const superblock = { entryCount: 3, sectorSize }

/** A write of two sectors, a discard of nine, a flush. */
function log(): Uint8Array {
  const bytes = new Uint8Array(6 * sectorSize)
  bytes.set(encodeSuperblock(superblock), 0)
  bytes.set(encodeEntry({ sector: 5, sectorCount: 2, flags: 0 }, sectorSize), sectorSize)
  bytes.set(encodeEntry({ sector: 1, sectorCount: 9, flags: 4 }, sectorSize), 4 * sectorSize)
  bytes.set(encodeEntry({ sector: 0, sectorCount: 0, flags: 1 }, sectorSize), 5 * sectorSize)
  return bytes
}

function source(bytes: Uint8Array, failsAt?: number): LogSource {
  return {
    length: bytes.length,
    read: async (offset, into) => {
      if (offset === failsAt) throw BlockError.fromErrno('ENOSPC')
      into.set(bytes.subarray(offset, offset + into.length))
    },
  }
}

async function walk(from: LogSource, entryCount = 3): Promise<readonly (readonly [number, number])[]> {
  const places: [number, number][] = []
  for await (const { index, offset } of walkLog(from, { ...superblock, entryCount })) places.push([index, offset])
  return places
}

test('entries stand behind each other’s data', async () => {
  expect(await loadSuperblock(source(log()))).toEqual(superblock)
  expect(await walk(source(log()))).toEqual([
    [0, 64],
    [1, 256],
    [2, 320],
  ])
  expect(await walk(source(log()), 1)).toEqual([[0, 64]])
})

describe('a log that cannot be read', () => {
  test('no superblock', async () => {
    await expect(loadSuperblock(source(log(), 0))).rejects.toMatchObject({
      code: 'ENOSPC',
      message: 'Could not read log superblock: No space left on device',
    })
    await expect(loadSuperblock(source(log().subarray(0, 27)))).rejects.toMatchObject({
      message: 'Could not read log superblock: Input/output error',
    })
  })

  test('an entry', async () => {
    await expect(walk(source(log(), 256))).rejects.toMatchObject({
      code: 'ENOSPC',
      message: 'Failed to read log entry 1: No space left on device',
    })
  })

  test.each([
    [4, 'of the superblock', 3],
    [3, 'header of the last entry', 2],
    [3, 'data of the first entry', 0],
  ])('a log of %i entries cut in the %s', async (count, _, index) => {
    const bytes = log().subarray(0, [200, 999, 330, 999][index])
    await expect(walk(source(bytes), count)).rejects.toMatchObject({
      code: 'EIO',
      message: `Failed to read log entry ${index}: Input/output error`,
    })
  })

  test('a bug in the source stays one', async () => {
    const broken = { length: 1e6, read: () => Promise.reject(new RangeError('bug')) }
    await expect(loadSuperblock(broken)).rejects.toThrow(RangeError)
  })
})
