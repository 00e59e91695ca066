/** Proves that a walk claims what tables name, one cluster of a table at a time, whatever its L1 table says. */

import type { LayoutRun } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { FileClaims } from '../../../src/features/layout/claims-on-file.ts'
import { walkMap } from '../../../src/features/layout/walk-map.ts'
import { filledImage } from '../../helpers/damage.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { openOn } from '../../helpers/open-on.ts'

async function walked(change: { readonly ofSnapshot?: boolean; readonly entries?: number } = {}) {
  const { bytes } = await filledImage()
  const child = new MemoryChild(bytes)
  const { image } = await openOn(child, { readOnly: true })
  const reads: number[] = []
  child.fail = (request) => {
    if (request.kind === 'read') reads.push(request.bytes)
    return undefined
  }
  const { file, geometry, header } = image
  const claims = new FileClaims(geometry, file.length, 1024)
  const { l1TableOffset, l1Size } = header.header
  const place = { offset: l1TableOffset, entries: l1Size, ofSnapshot: false, ...change }
  const runs: LayoutRun[] = []
  for await (const run of walkMap({ file, geometry, claims, job: {} }, place)) runs.push(run)
  return { runs: [...runs, ...claims.rest()], reads }
}

test('the table, the tables below and the data', async () => {
  const { runs } = await walked()
  expect(runs.map(({ kind, bytes }) => [kind, bytes])).toEqual([
    ['map-root', 1024],
    ['map', 1024],
    ['data', 64 * 1024],
  ])
})

test('what is a snapshot’s is told as such', async () => {
  const { runs } = await walked({ ofSnapshot: true })
  expect(new Set(runs.map(({ kind }) => kind))).toEqual(new Set(['snapshot', 'snapshot-data']))
})

test('a table that the file does not hold is not read', async () => {
  const { runs, reads } = await walked({ entries: 4194304 })
  expect(runs).toEqual([{ kind: 'broken', offset: expect.any(Number), bytes: 4194304 * 8 }])
  expect(reads).toEqual([])
})
