/** Three states of one disk: a real ext4 filesystem of real files, or made-up data where mke2fs is missing. */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes, seededRandom } from '../lib/random.ts'
import { isInstalled, mustSucceed, root, run } from '../lib/workspace.ts'

const MiB = 1024 * 1024

/** Raw disk images, oldest first, all of one length. */
export const states = ['state-1.raw', 'state-2.raw', 'state-3.raw'] as const

/** Length of each state in bytes. */
export const diskBytes: number = 384 * MiB

/** Folders of the filesystem; each state has one more of them. */
const parts = ['1-first', '2-second', '3-third'] as const

/** At most so many bytes of files; ext4 needs room for itself. */
const realBytesMax = 240 * MiB

/** Makes all states in `folder`; gives what they are made of, in words. */
export async function makeStates(folder: string): Promise<string> {
  if (isInstalled('mke2fs')) return makeFilesystems(folder)
  await makePatterns(folder)
  return 'three states of a disk of made-up data (mke2fs is not installed, so there is no filesystem in it)'
}

function makeFilesystems(folder: string): string {
  const tree = join(folder, 'tree')
  mkdirSync(tree)
  const files = takeRealFiles(tree)
  // Folders come one by one; the last state also loses files and gains one.
  for (const [i, state] of states.entries()) {
    const later = parts.slice(i + 1)
    const parked = later.map((name) => [join(tree, name), join(folder, `parked-${name}`)] as const)
    for (const [from, to] of parked) run('mv', [from, to])
    if (i === 2) {
      rmSync(join(tree, parts[1], readdirSync(join(tree, parts[1]))[0]!), { recursive: true })
      writeFileSync(join(tree, 'NOTES'), 'This file came with the last change.\n'.repeat(10_000))
    }
    makeExt4(join(folder, state), tree)
    for (const [from, to] of parked) run('mv', [to, from])
  }
  rmSync(tree, { recursive: true })
  return `three states of an ext4 filesystem: ${files} real files, ${diskBytes / MiB} MiB`
}

/**
 * Copies installed packages into the three folders of `tree`, about half of the bytes into the first.
 *
 * @returns the number of files
 */
function takeRealFiles(tree: string): number {
  const source = join(root, 'node_modules/.pnpm')
  let [bytes, files] = [0, 0]
  for (const folder of parts) mkdirSync(join(tree, folder))
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  folders.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name } of folders) {
    const size = measureTree(join(source, name))
    // A runtime of one big file would leave no room for anything else.
    if (size.bytes > 100 * MiB || bytes + size.bytes > realBytesMax) continue
    const part = bytes < realBytesMax / 2 ? parts[0] : bytes < (realBytesMax * 3) / 4 ? parts[1] : parts[2]
    cpSync(join(source, name), join(tree, part, name), { recursive: true, verbatimSymlinks: true })
    bytes += size.bytes
    files += size.files
  }
  return files
}

/** What a copy of the folder would hold. Links are not followed: they lead into other packages. */
function measureTree(path: string): { bytes: number; files: number } {
  const total = { bytes: 0, files: 0 }
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) {
      const below = measureTree(child)
      total.bytes += below.bytes
      total.files += below.files
    } else if (entry.isFile()) {
      total.bytes += statSync(child).size
      total.files++
    }
  }
  return total
}

function makeExt4(path: string, tree: string): void {
  writeFileSync(path, '')
  truncateSync(path, diskBytes)
  const id = '6b1f6f2e-8a52-4c6b-9d3e-20141023b10c'
  // A fixed id and hash seed: two states then differ only where their files do, as on one disk that was in use.
  const args = ['-q', '-F', '-t', 'ext4', '-U', id, '-E', `hash_seed=${id},nodiscard`, '-d', tree, path]
  mustSucceed('mke2fs', run('mke2fs', args))
}

async function makePatterns(folder: string): Promise<void> {
  const random = seededRandom(2014)
  const block = () => randomBytes(random, MiB)
  const disk: (Uint8Array | undefined)[] = Array.from({ length: diskBytes / MiB }, (_, i) =>
    i % 3 === 0 ? undefined : block(),
  )
  for (const [i, state] of states.entries()) {
    await using file = await open(join(folder, state), 'w')
    await file.truncate(diskBytes)
    for (const [place, data] of disk.entries())
      if (data !== undefined) await file.write(data, 0, data.length, place * MiB)
    // Some places change, some that were empty get data, some lose it.
    for (let change = 0; change < 60; change++) {
      disk[Math.floor(random() * disk.length)] = change % 6 === i ? undefined : block()
    }
  }
}
