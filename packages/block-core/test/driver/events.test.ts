// The event names are the 48 of the reference, in its order.
import { expect, test } from 'vitest'
import { blkdebugEvents, isBlkdebugEvent } from '../../src/driver/events.ts'

test('there are 48 events, from l1_update to none', () => {
  expect(blkdebugEvents.length).toBe(48)
  expect([blkdebugEvents[0], blkdebugEvents.at(-1)]).toEqual(['l1_update', 'none'])
  expect(new Set(blkdebugEvents).size).toBe(48)
})

test('names are told from other words', () => {
  expect(isBlkdebugEvent('empty_image_prepare')).toBe(true)
  expect(isBlkdebugEvent('l1_updates')).toBe(false)
})
