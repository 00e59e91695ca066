/** Proves that a picture is well-formed, needs nothing from elsewhere, tells its numbers in words, and lets no name be markup. */

import { expect, test } from 'vitest'
import { collectPicture, type Picture } from '../../src/picture/collect.ts'
import { legendRows, pictureSvg } from '../../src/picture/svg.ts'
import { chainOfTwo, newGraph } from './images.ts'
import { wellFormed } from './well-formed.ts'

async function drawn(): Promise<{ picture: Picture; svg: string }> {
  const { graph, files } = newGraph()
  const picture = await collectPicture(await chainOfTwo(graph, files))
  await graph.close()
  return { picture, svg: pictureSvg(picture) }
}

test('it is one well-formed element with a title and a description', async () => {
  const { svg } = await drawn()
  expect(wellFormed(svg)).toBe('')
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/)
  expect(svg).toContain('role="img" aria-labelledby="title desc"><title id="title">Picture of the image mem:topx')
  expect(svg).toMatch(/<desc id="desc">The disk of 4 MiB: data in the image itself 256 KiB, data 1 below 768 KiB/)
  expect(svg).toContain('prefers-color-scheme:dark')
})

test('nothing comes from elsewhere, and nothing runs', async () => {
  const { svg } = await drawn()
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|@import|href|<script|\son\w+=/)
  expect(svg).toContain('&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\\u{202e}')
  expect(svg).not.toContain('\u202e')
})

test('the legend has what is there, and only that', async () => {
  const { picture, svg } = await drawn()
  expect(legendRows(picture.guest).map(({ id }) => id)).toEqual(['d0', 'd1', 'compressed', 'zero'])
  expect(svg).toContain('L2 tables: 64 KiB')
  expect(svg).not.toContain('class="leaked"')
})

test('a chain of thousands is cut', async () => {
  const { picture } = await drawn()
  const chain = Array.from({ length: 5000 }, (_, at) => ({ filename: `image${at}`, format: 'raw', bytes: at }))
  const svg = pictureSvg({ ...picture, chain })
  expect(svg).toContain('… and 4976 images below')
  expect(svg).not.toContain('image24 ')
})
