// Files in memory are made, found, opened and removed by name, and what is left open or under way is counted.
import { expect, test } from 'vitest'
import { createBlockGraph } from '../../src/index.ts'
import { FaultStore } from '../../src/testing/fault-plan.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { MemoryFiles } from '../../src/testing/memory-files.ts'
import { filled } from '../../src/testing/patterns.ts'
import { failure, plainDriver } from '../helpers/world.ts'

const graphOver = (files: MemoryFiles) =>
  createBlockGraph({ drivers: [files.driver, plainDriver], implicitOpen: 'deny' })

test('a file is made by its name and opened by it, with the prefix or as an option', async () => {
  const files = new MemoryFiles()
  await using graph = graphOver(files)
  await graph.create('mem', 'mem:a', { size: 1024 })
  expect(files.stores.get('a')?.length).toBe(1024)
  const disk = await graph.open('mem:a', { format: 'raw' })
  await disk.write(0, filled(7, 512))
  expect([disk.root.filename, files.openNodes]).toEqual(['mem:a', 1])
  await disk.close()
  expect([files.openNodes, files.requests, files.lateRequests]).toEqual([0, 0, 0])
  const again = await graph.open(
    new Map([
      ['driver', 'mem'],
      ['filename', 'a'],
    ]),
    { readOnly: true },
  )
  expect(again.root.filename).toBe('mem:a')
})

test('what is not there is refused, and what is told apart has one canonical name', async () => {
  const files = new MemoryFiles()
  await using graph = graphOver(files)
  expect(await failure(graph.open('mem:none', { format: 'raw' }))).toContain(
    "Could not open 'none': No such file or directory",
  )
  files.stores.set('a', new MemoryStore(512))
  expect([files.driver.canonicalName?.('a'), files.driver.canonicalName?.('mem:b')]).toEqual(['mem:a', undefined])
})

test('new files are of the kind that the test wants, and removed again', async () => {
  const files = new MemoryFiles({ newStore: (bytes) => new FaultStore(bytes) })
  await using graph = graphOver(files)
  await graph.create('mem', 'mem:a', { size: 512 })
  expect(files.stores.get('a')).toBeInstanceOf(FaultStore)
  await files.driver.create?.remove?.('mem:a')
  expect(files.stores.size).toBe(0)
})

test('requests are counted while they are under way, at the pace that the test sets', async () => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const files = new MemoryFiles({ pace: () => gate })
  files.stores.set('a', new MemoryStore(1024))
  await using graph = graphOver(files)
  const disk = await graph.open('mem:a', { format: 'mem' })
  const requests = [disk.read(0, new Uint8Array(512)), disk.write(0, filled(1, 512)), disk.flush()]
  await Promise.resolve()
  expect(files.requests).toBeGreaterThan(0)
  go()
  await Promise.all(requests)
  await disk.writeZeroes(0, 512)
  await disk.discard(0, 512)
  await disk.truncate(2048)
  expect([files.requests, files.stores.get('a')?.length]).toEqual([0, 2048])
})
