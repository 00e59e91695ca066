/** The chain that commits are killed on: three images of mixed cluster sizes, and what the top of them reads. */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { withImage } from '../lib/images.ts'
import { randomBytes } from '../lib/random.ts'
import { mustSucceed, ours, runTool } from '../lib/workspace.ts'

/** The chain's images from the bottom to the top, and the raw copy of what the top reads. */
export const images = ['base.qcow2', 'mid.qcow2', 'top.qcow2'] as const

/** Name of the raw file that holds what the top read before any commit. */
export const golden = 'golden.raw'

const MiB = 1024 * 1024

/** Makes the chain in `folder`, with about `changedBytes` bytes in its top; the golden copy of the top lies beside it. */
export async function makeChain(folder: string, changedBytes: number, random: () => number): Promise<void> {
  mkdirSync(folder, { recursive: true })
  // Twice as large as what is written into each image: a commit then overwrites here and allocates there.
  const size = String(2 * changedBytes)
  create(folder, 'base.qcow2', ['-o', 'cluster_size=65536'], size)
  create(folder, 'mid.qcow2', ['-o', 'cluster_size=4096', '-b', 'base.qcow2', '-F', 'qcow2'])
  create(folder, 'top.qcow2', ['-o', 'cluster_size=65536', '-b', 'mid.qcow2', '-F', 'qcow2'])
  await fill(join(folder, 'base.qcow2'), changedBytes, random)
  await fill(join(folder, 'mid.qcow2'), changedBytes / 4, random)
  await fill(join(folder, 'top.qcow2'), changedBytes, random)
  mustSucceed('convert', runTool(ours, folder, 'convert', '-f', 'qcow2', '-O', 'raw', 'top.qcow2', join('..', golden)))
}

/** Copies the chain's images into an empty folder of their own. */
export function copyChain(from: string, to: string): void {
  mkdirSync(to)
  for (const image of images) cpSync(join(from, image), join(to, image))
}

function create(folder: string, name: string, options: readonly string[], ...size: string[]): void {
  mustSucceed(`create ${name}`, runTool(ours, folder, 'create', '-q', '-f', 'qcow2', ...options, name, ...size))
}

/** Writes random bytes at random places, some runs of zeroes between them, until `bytes` bytes are written. */
async function fill(path: string, bytes: number, random: () => number): Promise<void> {
  await withImage(path, async (image) => {
    for (let written = 0; written < bytes; ) {
      const length = 4096 * (1 + Math.floor(random() * 256))
      const offset = 4096 * Math.floor((random() * (image.length - length)) / 4096)
      if (random() < 0.1) await image.writeZeroes(offset, length)
      else await image.write(offset, randomBytes(random, length))
      written += length
    }
    await image.flush()
  })
}

/** Bytes of change that make a commit long enough to be hit at many different moments. */
export const defaultChangedBytes: number = 96 * MiB
