// Proves that turns come in order where they have to, and that nobody waits for ever when the work is given up.

import { expect, test } from 'vitest'
import { Turns } from '../../src/convert/turns.ts'

async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false
  void promise.then(() => {
    done = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

test('a turn waits for those before it', async () => {
  const turns = new Turns(true)
  const [second, first] = [turns.wait(2), turns.wait(1)]
  await turns.wait(0)
  expect(await settled(first)).toBe(false)
  turns.done(0)
  expect(await settled(first)).toBe(true)
  expect(await settled(second)).toBe(false)
  turns.done(1)
  await second
})

test('without order it is always everybody’s turn', async () => {
  const turns = new Turns(false)
  await turns.wait(5)
  turns.done(5)
  await turns.wait(3)
})

test('abandoning wakes those that wait, and lets later ones pass', async () => {
  const turns = new Turns(true)
  const waiting = turns.wait(1)
  turns.abandon()
  await waiting
  await turns.wait(7)
})
