/** COPIED stands exactly where the refcount is one, after a repair at the latest. */

import { describe, expect, test } from 'vitest'
import { checked, filledImage, problems } from '../../helpers/damage.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'

const copied = 0x8000000000000000n

/** An image where an L1 entry and an L2 entry lack the flag. */
async function withoutFlags() {
  const image = await filledImage()
  return image.set(image.l1(), (old) => old ^ copied).set(image.l2(3), (old) => old ^ copied)
}

test('missing flags are reported', async () => {
  const { lines, result } = await checked(await withoutFlags())
  expect(lines).toEqual([
    'ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=1000 refcount=1',
    'ERROR OFLAG_COPIED data cluster: l2_entry=2000 refcount=1',
  ])
  expect(problems(result)).toEqual({ corruptions: 2 })
})

test.each(['leaks', 'all'] as const)('missing flags are set by -r %s', async (repair) => {
  const { lines, result, after } = await checked(await withoutFlags(), repair)
  expect(lines.every((line) => line.startsWith('Repairing OFLAG_COPIED'))).toBe(true)
  expect(problems(result)).toEqual({ corruptionsFixed: 2 })
  expect((await checked(after)).lines).toEqual([])
})

// A flag that is set by mistake lets a shared cluster be overwritten: it goes.
test('flags of shared clusters are cleared', async () => {
  const image = await filledImage()
  image
    .set(image.l2(1), image.get(image.l2(0)))
    .count(5, 2)
    .count(6, 0)
  const { after } = await checked(image, 'all')
  expect(after.get(after.l2(0))).toBe(5n * 1024n)
  expect(after.get(after.l2(1))).toBe(5n * 1024n)
})

test('with leaks or corruptions left, -r leaks does not touch flags', async () => {
  const image = await withoutFlags()
  image.set(image.l2(1), image.get(image.l2(0)))
  const { lines } = await checked(image, 'leaks')
  expect(lines).toContain('ERROR OFLAG_COPIED L2 cluster: l1_index=0 l1_entry=1000 refcount=1')
})

describe('failures end the check', () => {
  async function failing(cluster: number, kind: 'read' | 'write', after: number) {
    let seen = 0
    return checked(new MemoryChild((await withoutFlags()).bytes), 'all', (file) => {
      file.fail = (request) => {
        const hit = request.kind === kind && Math.floor(request.offset / 1024) === cluster
        return hit && seen++ >= after ? 'EIO' : undefined
      }
    })
  }

  test('an L1 entry that cannot be written', async () => {
    const { lines, failure } = await failing(3, 'write', 0)
    expect(lines.at(-1)).toMatch(/^Repairing OFLAG_COPIED L2 cluster/)
    expect(failure).toBe('EIO Input/output error')
  })

  test('an L2 table that cannot be written', async () => {
    expect((await failing(4, 'write', 0)).lines.at(-1)).toBe('ERROR: Could not write L2 table: Input/output error')
  })

  test('an L2 table that cannot be read any more', async () => {
    const { lines } = await failing(4, 'read', 1)
    expect(lines.at(-1)).toBe('ERROR: I/O error in check_oflag_copied: Input/output error')
  })

  // The L1 entry points into the header: writing an L2 table there would destroy the image.
  test('an L2 table that lies on other metadata', async () => {
    const image = await filledImage({ refcountBits: 1 })
    image.set(image.l1(), copied | 0x200n)
    const { lines } = await checked(image, 'all')
    expect(lines.slice(-2)).toEqual([
      'qcow2: Marking image as corrupt: Preventing invalid write on metadata (overlaps with qcow2_header); further ' +
        'corruption events will be suppressed',
      'ERROR: Could not write L2 table; metadata overlap check failed: Input/output error',
    ])
  })
})
