/** Proves what the events say, in sectors, as the reference's monitor shows them. */

import { BlockError } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { quorumFailure, reportBad } from '../src/events.ts'

// qemu-io `read 1000 5000` on a copy that fails, and on one that is outvoted.
test('ranges are widened to whole sectors', () => {
  const request = { type: 'read', offset: 1000, bytes: 5000 } as const
  const sectors = { sectorNumber: 1, sectorCount: 11 }
  expect(reportBad(request, 'bad', BlockError.withErrno('ENOSPC', 'Could not read'))).toEqual({
    event: 'QUORUM_REPORT_BAD',
    type: 'read',
    error: 'No space left on device',
    nodeName: 'bad',
    ...sectors,
  })
  expect(reportBad(request, 'bad', undefined)).toMatchObject({ error: undefined, ...sectors })
  expect(quorumFailure(request, 'qq')).toEqual({ event: 'QUORUM_FAILURE', reference: 'qq', ...sectors })
})

test('a flush has no range', () => {
  const event = reportBad({ type: 'flush', offset: 0, bytes: 0 }, 'bad', BlockError.fromErrno('EIO'))
  expect(event).toMatchObject({ type: 'flush', sectorNumber: 0, sectorCount: 0 })
})
