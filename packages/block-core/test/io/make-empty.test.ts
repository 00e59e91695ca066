// Emptied images show what is below them; writes under way come first, and failures name the file.
import { beforeEach, expect, test } from 'vitest'
import { BlockError } from '../../src/driver.ts'
import type { BlockBackend } from '../../src/index.ts'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { chain, failure, type World, world } from '../helpers/world.ts'

let at: World
beforeEach(() => {
  at = world()
  return () => at.graph.close()
})

const readAll = async (disk: BlockBackend) => {
  const into = new Uint8Array(disk.length)
  await disk.read(0, into)
  return into
}

test('emptying shows the backing file, and waits for writes under way', async () => {
  await chain(at)
  const base = await at.graph.open('mid')
  await base.write(0, stamped(0, 65536))
  await base.close()
  const disk = await at.graph.open('top')
  await disk.write(0, filled(1, 65536))
  const emptying = Promise.all([disk.write(4096, filled(2, 4096)), disk.makeEmpty()])
  await emptying
  expect(await readAll(disk)).toEqual(stamped(0, 65536))
})

test('a failure to empty is told with the file’s name and the text of the code', async () => {
  await at.graph.create('toy', 'image', { size: 4096 })
  const disk = await at.graph.open('image')
  const store = at.files.get('image')!
  const { write: plain } = store
  store.write = () => {
    throw new BlockError('ENOSPC', 'words of the disk')
  }
  expect(await failure(disk.makeEmpty())).toBe('Failed to empty image: No space left on device')
  store.write = plain
})

test('a format that cannot be emptied is named', async () => {
  await using opened = await openRecorder(new Recorder(512))
  expect(await failure(opened.disk.makeEmpty())).toBe('recorder does not support emptying nodes')
})
