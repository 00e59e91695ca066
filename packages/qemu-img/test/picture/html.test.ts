/** Proves that a page works alone, forbids scripts, has its numbers in tables, and shows hostile names as text. */

import { expect, test } from 'vitest'
import { collectPicture, type Picture } from '../../src/picture/collect.ts'
import { pictureHtml } from '../../src/picture/html.ts'
import { filled } from '@blocklayer/block-core/testing'
import { chainOfTwo, MiB, newGraph, rawDisk } from './images.ts'
import { wellFormed } from './well-formed.ts'

async function collected(): Promise<Picture> {
  const { graph, files } = newGraph()
  const picture = await collectPicture(await chainOfTwo(graph, files))
  await graph.close()
  return picture
}

test('the body is well-formed, with a section for each matter', async () => {
  const page = pictureHtml(await collected())
  expect(wellFormed(/<body>[\s\S]*<\/body>/.exec(page)?.[0] ?? '<')).toBe('')
  const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)
  expect(headings).toEqual(['The disk', 'The file', 'The chain', 'Fragmentation', 'Snapshots'])
  expect(page.match(/<table>/g)).toHaveLength(5)
})

test('no script is in it, none may run, and nothing is loaded', async () => {
  const page = pictureHtml(await collected())
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(page).not.toMatch(/<script|https?:|url\(|@import|href=|src=|\son\w+=/)
  expect(page).toContain('&lt;script&gt;')
  expect(page).not.toContain('\u202e')
})

test('the numbers beside the picture', async () => {
  const page = pictureHtml(await collected())
  expect(page).toContain('data in the image itself</td><td class="r">256 KiB</td><td class="r">6.3 %</td>')
  expect(page).toContain('<p>256 KiB of data lie in 2 pieces of 128 KiB on average.</p>')
})

test('a format that does not say what its file is made of, and a backing file that was not looked at', async () => {
  const { graph, files } = newGraph()
  const page = pictureHtml(await collectPicture(await rawDisk(graph, files, filled(1, MiB))))
  expect(page).toContain('The format raw does not say what its file is made of.')
  await chainOfTwo(graph, files).then((disk) => disk.close())
  const top = [...files.stores.keys()].find((name) => name.startsWith('top')) ?? ''
  const alone = await graph.open(`mem:${top}`, { format: 'qcow2', readOnly: true, noBacking: true })
  const page2 = pictureHtml(await collectPicture(alone))
  expect(page2).toContain('was not looked at.')
  expect(page2).toContain('left to the backing file')
  await graph.close()
})

test('long lists are cut', async () => {
  const picture = await collected()
  const chain = Array.from({ length: 5000 }, (_, at) => ({ filename: `image${at}`, format: 'raw', bytes: at }))
  expect(pictureHtml({ ...picture, chain })).toContain('… and 4800 images below')
})
