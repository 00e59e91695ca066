/** Proves that the facts in words are those of the numbers. */

import { expect, test } from 'vitest'
import { collectPicture, type Picture } from '../../src/picture/collect.ts'
import { factsOf, fragmentationText, pieceRows } from '../../src/picture/words.ts'
import { chainOfTwo, newGraph } from './images.ts'

async function collected(): Promise<Picture> {
  const { graph, files } = newGraph()
  const picture = await collectPicture(await chainOfTwo(graph, files))
  await graph.close()
  return picture
}

test('facts: what is known, and what is out of the ordinary', async () => {
  const picture = await collected()
  const names = factsOf(picture).map(([name]) => name)
  expect(names.filter((name) => name !== 'on disk')).toEqual([
    'format',
    'virtual size',
    'file length',
    'cluster',
    'snapshots',
  ])
  const odd = factsOf({ ...picture, info: { ...picture.info, encrypted: true, dirty: true } })
  expect(Object.fromEntries(odd)).toMatchObject({ encrypted: 'yes', 'cleanly shut down': 'no' })
})

test('pieces and damage', async () => {
  const picture = await collected()
  const none = { pieces: 0, bytes: 0, byLength: [] }
  expect(fragmentationText({ ...picture, fragmentation: none })).toBe('No data lies in the image itself as it is.')
  const one = { pieces: 1, bytes: 1024, byLength: [1024] }
  expect(fragmentationText({ ...picture, fragmentation: one, brokenBytes: 512 })).toBe(
    '1 KiB of data lie in one piece. 512 B are named at places that do not exist: damage.',
  )
  expect(pieceRows({ ...picture, fragmentation: one })[0]).toEqual(['up to 64 KiB', 1024, '100 %'])
})
