/** Proves that requests stop where they should, once, and go on in the right order, in the reference's words. */

import { expect, test } from 'vitest'
import { Breakpoints } from '../src/suspend.ts'

function breakpoints(): {
  points: Breakpoints
  lines: string[]
  stop: (name: string) => Promise<void>
  gone: string[]
} {
  const lines: string[] = []
  const gone: string[] = []
  const points = new Breakpoints((line) => lines.push(line.replace('blkdebug: ', '')))
  const stop = async (name: string): Promise<void> => {
    await points.stopAt('write_aio')
    gone.push(name)
  }
  return { points, lines, stop, gone }
}

test('a breakpoint stops one request', async () => {
  const { points, stop, gone, lines } = breakpoints()
  points.set('write_aio', 'A')
  await points.stopAt('read_aio')
  const first = stop('first')
  await stop('second')
  expect(gone).toEqual(['second'])
  expect([points.isSuspended('A'), points.isSuspended('B')]).toEqual([true, false])
  points.resume('A')
  await first
  expect(lines).toEqual(["Suspended request 'A'", "Resuming request 'A'"])
  expect(points.isSuspended('A')).toBe(false)
  expect(() => points.resume('A')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test('two breakpoints stop one request twice, the newer first', async () => {
  const { points, stop, gone, lines } = breakpoints()
  points.set('write_aio', 'A')
  points.set('write_aio', 'B')
  const request = stop('request')
  points.resume('A')
  await Promise.resolve()
  expect(gone).toEqual([])
  points.resume('B')
  await request
  expect(lines).toEqual([
    "Suspended request 'B'",
    "Suspended request 'A'",
    "Resuming request 'A'",
    "Resuming request 'B'",
  ])
})

test('of several requests under a tag the last goes on first', async () => {
  const { points, stop, gone } = breakpoints()
  points.set('write_aio', 'A')
  const first = stop('first')
  points.set('write_aio', 'A')
  const second = stop('second')
  points.resume('A')
  await second
  points.resume('A')
  await first
  expect(gone).toEqual(['second', 'first'])
})

test('removing forgets breakpoints and lets everybody go', async () => {
  const { points, stop, gone, lines } = breakpoints()
  points.set('write_aio', 'A')
  const first = stop('first')
  points.set('write_aio', 'A')
  const second = stop('second')
  points.set('read_aio', 'A')
  points.set('read_aio', 'B')
  points.remove('A')
  await Promise.all([first, second])
  expect(gone).toEqual(['second', 'first'])
  expect(lines.slice(2)).toEqual(["Resuming request 'A'", "Resuming request 'A'"])
  expect(() => points.remove('A')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  points.remove('B')
  await points.stopAt('read_aio')
})

test('whoever waits for a request to stop is told once, at once where one has', async () => {
  const { points, stop } = breakpoints()
  const told: string[] = []
  const first = points.untilSuspended('A').then(() => told.push('first'))
  const second = points.untilSuspended('A').then(() => told.push('second'))
  points.untilSuspended('B').then(
    () => told.push('B'),
    () => told.push('failed'),
  )
  points.set('write_aio', 'A')
  await Promise.resolve()
  expect(told).toEqual([])
  const request = stop('request')
  await Promise.all([first, second])
  await points.untilSuspended('A')
  expect(told).toEqual(['first', 'second'])
  points.resume('A')
  await request
})

// The breakpoint itself was used up when the request stopped: the reference finds nothing to remove, but resumes.
test('removing a tag that only a stopped request has lets it go and fails', async () => {
  const { points, stop, gone } = breakpoints()
  points.set('write_aio', 'A')
  const request = stop('request')
  expect(() => points.remove('A')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  await request
  expect([gone, points.isSuspended('A')]).toEqual([['request'], false])
})
