// Proves the maths of backing chains on real images, beside the reference: which image a name means, what an image records
// after a change, chains without their middle, and that a rebase by our plan leaves the guest's bytes as they are.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlockBackend,
  type BlockGraph,
  changeBackingFile,
  createBlockGraph,
  differingRuns,
  findOverlay,
  parseKeyValue,
  rebaseRuns,
} from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled, mustSucceed, run } from '../scripts/lib/workspace.ts'
import { makeImages } from './descriptions/images.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-io')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const home = process.cwd()
let origin: string
let folder: string

beforeAll(() => {
  if (!hasReference) return
  origin = mkdtempSync(join(tmpdir(), 'blocklayer-chain-changes-'))
  folder = join(origin, 'images')
  mkdirSync(folder)
  makeImages(folder)
})
afterAll(() => {
  process.chdir(home)
  if (origin !== undefined) rmSync(origin, { recursive: true })
})

/** A fresh copy of the images, which becomes the current folder. */
function freshCopy(): string {
  const copy = mkdtempSync(join(origin, 'copy-'))
  cpSync(folder, copy, { recursive: true })
  process.chdir(copy)
  return copy
}

const newGraph = (): BlockGraph =>
  createBlockGraph({ drivers: [fileDriver, rawDriver, qcow2Driver, blkdebugDriver], implicitOpen: 'allow' })

async function contentOf(disk: BlockBackend): Promise<Buffer> {
  const bytes = Buffer.alloc(disk.length)
  await disk.read(0, bytes)
  return bytes
}

/** What the reference reads of an image. */
function referenceContent(copy: string, name: string): Buffer {
  mustSucceed(`convert ${name}`, run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', name, 'read'], copy))
  return readFileSync(join(copy, 'read'))
}

const images = ['base', 'mid', 'top', 'flat', 'sub/over']

/** The image into which the reference commits `top` under `-b name`: the one that has changed. */
function committedBase(top: string, name: string): string | undefined {
  const copy = freshCopy()
  const before = images.map((image) => readFileSync(join(copy, image)))
  const args = ['commit', '-q', '-d', ...(top.includes('=') ? ['--image-opts'] : ['-f', 'qcow2']), '-b', name, top]
  const { code } = run('qemu-img', args, copy)
  const changed = images.filter((image, i) => !before[i]!.equals(readFileSync(join(copy, image))))
  return code === 0 ? changed.filter((image) => image !== top)[0] : undefined
}

const overridden = 'driver=qcow2,file.filename=top,backing.file.filename=./mid'
const spellings: [top: string, name: string][] = [
  ...['mid', './mid', 'sub/../mid', 'base', './base', '././base', 'top', './top', '', 'nowhere', 'flat'].map(
    (name): [string, string] => ['top', name],
  ),
  ...['file:mid', 'file:base', 'json:{"driver":"qcow2","file":{"driver":"file","filename":"mid"}}'].map(
    (name): [string, string] => ['top', name],
  ),
  // Names count from the overlay's folder, whoever gives them.
  ...['../top', 'top', '../mid', 'mid', 'sub/../top', './../base'].map((name): [string, string] => ['sub/over', name]),
  ...['mid', './mid', 'base', './base'].map((name): [string, string] => [overridden, name]),
]

describe.skipIf(!hasReference)('beside the reference (skipped where it is not installed)', () => {
  test.each(spellings)('in the chain of %s, %s', async (top, name) => {
    const theirs = committedBase(top, name)
    await using graph = newGraph()
    const image = top.includes('=') ? parseKeyValue(top, { impliedKey: 'file' }) : top
    const disk = await graph.open(image, { readOnly: true })
    const found = graph.findBackingImage(disk.root, name)
    expect(found?.filename.replace(/^.*?"filename": "(\.\/)?(\w+)".*$/, '$2').replace(/^(.*\/)?\.?\.?\//, '')).toBe(
      theirs,
    )
  })

  test.each([
    ['base', 'qcow2'],
    ['a name that is much longer than the one before', 'raw'],
    ['', undefined],
  ])('recording %s gives the bytes of an unsafe rebase', async (name, format) => {
    const theirs = freshCopy()
    const args = ['rebase', '-u', '-f', 'qcow2', '-b', name, ...(format === undefined ? [] : ['-F', format]), 'top']
    mustSucceed('rebase', run('qemu-img', args, theirs))
    const ours = freshCopy()
    await using graph = newGraph()
    const disk = await graph.open('top', { format: 'qcow2', noBacking: true })
    await changeBackingFile(disk.root, name === '' ? {} : { filename: name, format })
    expect(disk.root.backingReference?.filename ?? '').toBe(name)
    await disk.close()
    expect(readFileSync(join(ours, 'top')).equals(readFileSync(join(theirs, 'top')))).toBe(true)
  })

  test('a chain without its middle reads as before, also for the reference', async () => {
    const copy = freshCopy()
    await using graph = newGraph()
    const disk = await graph.open('top', { format: 'qcow2' })
    expect(findOverlay(disk.root)?.filename).toBe('base')
    const before = await contentOf(disk)
    await disk.close()
    // Nothing of mid may be lost: the base gets it first.
    mustSucceed('commit', run('qemu-img', ['commit', '-q', '-d', '-f', 'qcow2', 'mid'], copy))
    const again = await graph.open('top', { format: 'qcow2' })
    const chain = [again.root, again.root.backing!, again.root.backing!.backing!]
    expect([chain[1]!.filename, chain[2]!.filename]).toEqual(['mid', 'base'])
    await graph.dropIntermediate(chain[1]!, chain[2]!)
    expect([again.root.backing, again.root.filename, graph.nodes.length]).toEqual([chain[2], 'top', 4])
    expect((await contentOf(again)).equals(before)).toBe(true)
    await again.close()
    const info = run('qemu-img', ['info', '--backing-chain', '--output=json', 'top'], copy)
    const names = (JSON.parse(info.stdout) as { filename: string }[]).map(({ filename }) => filename)
    expect(names).toEqual(['top', 'base'])
    expect(referenceContent(copy, 'top').equals(before)).toBe(true)
    expect(run('qemu-img', ['check', '-q', 'top'], copy).code).toBe(0)
  })

  // The plan is all a rebase needs: read, compare, write what differs, record.
  test.each([
    ['base', 'qcow2'],
    ['flat', 'raw'],
    ['r', 'raw'],
    ['', undefined],
  ])('a safe rebase onto %s', async (name, format) => {
    const copy = freshCopy()
    const before = referenceContent(copy, 'top')
    await using graph = newGraph()
    const disk = await graph.open('top', { format: 'qcow2' })
    const kept = name === '' ? undefined : graph.findBackingImage(disk.root, name)
    const next = name === '' ? undefined : await graph.open(name, { format, readOnly: true })
    for await (const { offset, bytes } of rebaseRuns(disk.root, { kept, maxBytes: 256 * 1024 })) {
      const [old, other] = [Buffer.alloc(bytes), Buffer.alloc(bytes)]
      await disk.read(offset, old)
      await next?.read(offset, other)
      for (const differing of differingRuns(old, other)) {
        const piece = old.subarray(differing.offset, differing.offset + differing.bytes)
        await disk.write(offset + differing.offset, piece)
      }
    }
    await changeBackingFile(disk.root, name === '' ? {} : { filename: name, format })
    await graph.close()
    expect(referenceContent(copy, 'top').equals(before)).toBe(true)
    const theirs = freshCopy()
    const args = ['rebase', '-f', 'qcow2', '-b', name, ...(format === undefined ? [] : ['-F', format]), 'top']
    mustSucceed('rebase', run('qemu-img', args, theirs))
    const allocated = (where: string): string =>
      run('qemu-img', ['map', '--output=json', 'top'], where).stdout.replace(/, "offset": \d+/g, '')
    expect(allocated(copy)).toBe(allocated(theirs))
  })
})
