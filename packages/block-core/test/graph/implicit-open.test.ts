// The policy's verdict: a word, a function of the reference, or another node; a refusal is an error.
import { expect, test } from 'vitest'
import { askPolicy, type ImplicitReference } from '../../src/graph/implicit-open.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'

const reference = { role: 'backing', filename: '/etc/shadow', format: undefined, referrer: {} } as ImplicitReference
const refusal = {
  code: 'EACCES',
  message: "The image names the backing file '/etc/shadow', which this graph may not open",
}

test('words', async () => {
  expect(await askPolicy('allow', reference)).toBe('allow')
  await expect(askPolicy('deny', reference)).rejects.toMatchObject(refusal)
})

test('functions, also slow ones', async () => {
  const node = memory(new MemoryStore(512))
  expect(await askPolicy(() => 'allow', reference)).toBe('allow')
  expect(await askPolicy(async () => node, reference)).toBe(node)
  await expect(askPolicy(() => Promise.resolve('deny'), reference)).rejects.toMatchObject(refusal)
  await expect(askPolicy(() => Promise.reject(new Error('asked too much')), reference)).rejects.toThrow(
    'asked too much',
  )
})
