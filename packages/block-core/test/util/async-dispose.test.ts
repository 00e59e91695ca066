/** Proves that what `await using` was compiled to finds the way to close things where the engine has no symbol for it. */

import { expect, test } from 'vitest'
import { closeByDisposal } from '../../src/util/async-dispose.ts'

const substitute = Symbol.for('Symbol.asyncDispose')

class Opened {
  closed = 0

  async close(): Promise<void> {
    this.closed++
  }
}

test('an engine that has its own symbol needs nothing', () => {
  class Other extends Opened {}
  closeByDisposal(Other.prototype)
  expect(substitute in Other.prototype).toBe(false)
})

test('in other engines what is opened is closed under the name that compilers look for', async () => {
  class Other extends Opened {}
  closeByDisposal(Other.prototype, {})
  const other = new Other()
  await (other as unknown as Record<symbol, () => Promise<void>>)[substitute]!()
  expect(other.closed).toBe(1)
})
