// Limits: 0 and absent mean none, alignments are not inherited, the transfer length is.
import { expect, test } from 'vitest'
import { ChildRoles } from '../../src/driver/child.ts'
import { requestBytesMax, resolveLimits } from '../../src/node/limits.ts'

test('without limits every request passes whole', () => {
  const limits = resolveLimits(undefined, [])
  expect(limits.requestAlignment).toBe(1)
  expect(limits.maxTransfer).toBe(requestBytesMax)
  expect(limits.zeroAlignment).toBe(1)
})

test('lengths are rounded down to whole units', () => {
  const limits = resolveLimits({ requestAlignment: 512, maxTransfer: 5000, zeroAlignment: 4096, maxZeroes: 10000 }, [])
  expect([limits.maxTransfer, limits.maxZeroes, limits.discardAlignment]).toEqual([4608, 8192, 512])
})

test('the transfer length is inherited from data children, not from metadata ones', () => {
  const below = resolveLimits({ maxTransfer: 65536, requestAlignment: 4096 }, [])
  const edge = (role: number) => ({ role, node: { limits: below } })
  expect(resolveLimits({}, [edge(ChildRoles.image)]).maxTransfer).toBe(65536)
  expect(resolveLimits({}, [edge(ChildRoles.metadata)]).maxTransfer).toBe(requestBytesMax)
  expect(resolveLimits({}, [edge(ChildRoles.image)]).requestAlignment).toBe(1)
})

test('an alignment above 1 GiB is refused', () => {
  expect(() => resolveLimits({ requestAlignment: 2 ** 31 }, [])).toThrow('Driver requires too large request alignment')
})
