/** Proves opening: lists of children, their formats, the order of errors, names and extents; beside the reference. */

import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { quorum, quorumDriver } from '../src/index.ts'
import { flat, newGraph, reference, temporaryFolder, withoutReference } from './support.ts'

test('the driver has the reference name, and nobody listens', async () => {
  expect(quorumDriver).toMatchObject({ formatName: 'quorum', kind: 'format' })
  const stores = [new MemoryStore(Uint8Array.of(1)), new MemoryStore(Uint8Array.of(2))]
  const disk = await newGraph().graph.open(quorum({ voteThreshold: 1, children: stores.map((store) => memory(store)) }))
  const into = new Uint8Array(1)
  await disk.read(0, into)
  expect(into).toEqual(Uint8Array.of(2))
})

test('copies of different lengths are none of one disk', async () => {
  const children = [512, 1024].map((bytes) => memory(new MemoryStore(bytes)))
  await expect(newGraph().graph.open(quorum({ voteThreshold: 1, children }))).rejects.toMatchObject({
    code: 'EIO',
    message: 'Could not refresh total sector count: Input/output error',
  })
})

describe.skipIf(withoutReference)('beside the reference (skipped without qemu-img)', () => {
  /** Three raw copies of a megabyte, a longer one, and a qcow2 image. */
  function images(): string {
    const folder = temporaryFolder()
    for (const [name, bytes] of Object.entries({ a: 4096, b: 16384, c: 8192, long: 0 })) {
      writeFileSync(join(folder, name), new Uint8Array(bytes))
      truncateSync(join(folder, name), name === 'long' ? 0x20_0000 : 0x10_0000)
    }
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', 'q', '1M'], { cwd: folder })
    return folder
  }

  const list = (...names: string[]) =>
    names.map((name, i) => `,children.${i}.driver=file,children.${i}.filename=${name}`).join('')
  const inside = (folder: string, text: string) => text.replaceAll('filename=', `filename=${folder}/`)

  test.each([
    'driver=quorum',
    'driver=quorum,vote-threshold=2',
    'driver=quorum,vote-threshold=1,children=a',
    'driver=quorum,vote-threshold=1,children.1.driver=file,children.1.filename=a',
    'driver=quorum,vote-threshold=1,children.0.filename=a',
    'driver=quorum,vote-threshold=1,children.0=a',
    'driver=quorum,vote-threshold=1,children.0=a,children.0.driver=raw',
    'driver=quorum,vote-threshold=1,children.driver=file',
    `driver=quorum${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=4${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=-1${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=abc${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=2,read-pattern=foo${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=2,blkverify=on${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=2,blkverify=maybe${list('a', 'b')}`,
    `driver=quorum,vote-threshold=2,blkverify=on,rewrite-corrupted=on${list('a', 'b')}`,
    `driver=quorum,vote-threshold=2,rewrite-corrupted=on${list('a', 'b')}`,
    `driver=quorum,vote-threshold=2,foo=1${list('a', 'b')}`,
    `driver=quorum,vote-threshold=2${list('a', 'long')}`,
    `driver=quorum,vote-threshold=2${list('a', 'missing')}`,
  ])('%s is refused in the same words', async (text) => {
    const image = inside(images(), text)
    const printed = reference('qemu-io', '-r', '--image-opts', '-c', 'length', image)
    const ours = await newGraph()
      .graph.open(flat(image), { readOnly: true })
      .then(() => 'opened')
      .catch((error: unknown) => (error as Error).message)
    expect(`qemu-io: can't open: ${ours}\n`).toBe(printed)
  })

  test.each([
    `driver=quorum,vote-threshold=2${list('a', 'b', 'c')}`,
    `driver=quorum,vote-threshold=2,blkverify=off,read-pattern=quorum${list('a', 'b')}`,
    `driver=quorum,vote-threshold=2,read-pattern=fifo,rewrite-corrupted=on${list('a', 'b')}`,
    'driver=quorum,vote-threshold=1,children.0.file.filename=q',
    'driver=quorum,vote-threshold=2,children.0.file.filename=q,children.1.file.filename=a',
    'driver=raw,file.driver=quorum,file.vote-threshold=1,file.children.0.driver=file,file.children.0.filename=a',
  ])('%s has the same name, length and extents', async (text) => {
    const image = inside(images(), text)
    const info = JSON.parse(reference('qemu-img', 'info', '--output=json', '--image-opts', image)) as object
    const disk = await newGraph().graph.open(flat(image), { readOnly: true })
    expect(info).toMatchObject({ filename: disk.root.filename, 'virtual-size': disk.length })
    const extents = []
    for await (const { start, bytes, present, zero, data } of disk.map()) {
      extents.push({ start, length: bytes, depth: 0, present, zero, data })
    }
    const printed = JSON.parse(reference('qemu-img', 'map', '--output=json', '--image-opts', image)) as object[]
    expect(extents).toEqual(printed)
  })

  test('an image whose backing file has a relative name cannot be opened on it', async () => {
    const folder = images()
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'a', '-F', 'raw', 'o'], { cwd: folder })
    const text =
      'driver=qcow2,file.driver=quorum,file.vote-threshold=1,file.children.0.driver=file,file.children.0.filename=o'
    const image = inside(folder, text)
    const ours = await newGraph()
      .graph.open(flat(image), { readOnly: true })
      .catch((error: unknown) => (error as Error).message)
    expect(ours).toBe('Cannot generate a base directory for quorum nodes')
    expect(`qemu-io: can't open: ${String(ours)}\n`).toBe(
      reference('qemu-io', '-r', '--image-opts', '-c', 'length', image),
    )
  })

  // What wins, and what a read of copies that differ gives.
  test.each([
    ['AAB', 2],
    ['ABAB', 2],
    ['BABA', 2],
    ['BAAB', 2],
    ['ABC', 1],
    ['ABC', 2],
    ['AABBC', 3],
  ])('a read of %s with %i votes', async (letters, threshold) => {
    const folder = temporaryFolder()
    const names = [...letters].map((letter, i) => {
      writeFileSync(join(folder, `copy${i}`), letter.repeat(512))
      return `copy${i}`
    })
    const image = inside(folder, `driver=quorum,vote-threshold=${threshold}${list(...names)}`)
    const printed = reference('qemu-io', '-r', '--image-opts', '-c', 'read -v 0 1', image)
    const disk = await newGraph().graph.open(flat(image), { readOnly: true })
    const into = new Uint8Array(1)
    const ours = await disk.read(0, into).then(
      () => `00000000:  ${into[0]!.toString(16)}  ${String.fromCharCode(into[0]!)}`,
      (error: unknown) => `read failed: ${(error as Error).message}`,
    )
    expect(printed.split('\n')[0]).toBe(ours)
  })
})
