// Who reopens nodes has them for itself: others wait, plan anew, and never wait for each other.
import { expect, test } from 'vitest'
import { betweenReopenings, takeTurn } from '../../src/graph/reopen-turn.ts'
import { createBlockGraph } from '../../src/index.ts'
import { held, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'

async function two() {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const [a, b] = [await held(graph, record(new Recorder(512))), await held(graph, record(new Recorder(512)))]
  return { a: a!, b: b!, [Symbol.asyncDispose]: () => graph.close() }
}

test('two that need each other’s nodes come one after the other', async () => {
  await using at = await two()
  const log: string[] = []
  const run = async (name: string, own: typeof at.a, other: typeof at.a) => {
    const { end } = await takeTurn(
      () => [own],
      () => ({ nodes: [other] }),
    )
    log.push(`${name} begins`)
    await settle()
    log.push(`${name} ends`)
    end()
  }
  await Promise.all([run('first', at.a, at.b), run('second', at.b, at.a), run('third', at.a, at.a)])
  expect(log.map((line) => line.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends', 'begins', 'ends'])
  expect([at.a.reopening, at.b.reopening]).toEqual([undefined, undefined])
})

test('what is planned is planned when it is quiet, and a plan that fails holds nobody up', async () => {
  await using at = await two()
  const nodes = () => [at.a]
  const { end } = await takeTurn(nodes, () => ({ nodes: [] }))
  let planned = 0
  const next = takeTurn(nodes, () => {
    planned++
    throw new Error('no plan')
  })
  const waits = betweenReopenings(
    () => [at.b, at.a],
    () => planned,
  )
  await settle()
  expect(planned).toBe(0)
  end()
  await expect(next).rejects.toThrow('no plan')
  expect(await waits).toBe(1)
  expect([planned, at.a.reopening]).toEqual([1, undefined])
})

// All who wait are woken together: the first of them may take the next turn.
test('who was woken with the next one’s turn waits again', async () => {
  await using at = await two()
  const nodes = () => [at.a]
  const { end } = await takeTurn(nodes, () => ({ nodes: [] }))
  const next = takeTurn(nodes, () => ({ nodes: [] }))
  const change = betweenReopenings(nodes, () => at.a.reopening)
  end()
  const second = await next
  await settle()
  expect(at.a.reopening).toBeDefined()
  second.end()
  expect(await change).toBeUndefined()
})
