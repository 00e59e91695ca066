/** Chains of images over a real filesystem, made and filled by the reference tools or by ours. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withImage } from '../../scripts/lib/images.ts'
import { mustSucceed, run, runTool, type Tool } from '../../scripts/lib/workspace.ts'

/** How one image of a chain is made. */
export interface ImagePlan {
  /** `raw` for a base only. */
  readonly format: 'raw' | 'qcow2'
  readonly clusterSize: number
  /** An overlay holds what changed from this raw file to `after`; absent: a base, which holds all of `after`. */
  readonly before?: string
  readonly after: string
  /** Part of the disk, in eighths, whose changes go into this image; absent: all of it. */
  readonly eighths?: readonly [number, number]
  /** Bytes by which the image is longer than the one beneath it. Some data goes to the very end. */
  readonly longerBy?: number
}

/** A run of bytes that an overlay takes from its `after`. */
interface Run {
  readonly offset: number
  readonly bytes: number
}

const chunkBytes = 64 * 1024
/** Unchanged chunks between two changed ones that are not worth a run of their own. */
const gapMax = 16

/** Name of the image at `index`, counted from the bottom. */
export function imageName(index: number): string {
  return `image-${index}`
}

/** Makes the images of a chain in `folder`, bottom first, by `tool`'s own means. */
export async function makeChain(tool: Tool, folder: string, plans: readonly ImagePlan[]): Promise<void> {
  let length = 0
  for (const [i, plan] of plans.entries()) {
    const name = imageName(i)
    const make = (...args: string[]) => mustSucceed(`make ${name}`, runTool(tool, folder, ...args))
    if (plan.before === undefined) {
      const options = plan.format === 'raw' ? [] : ['-o', `cluster_size=${plan.clusterSize}`]
      make('convert', '-f', 'raw', '-O', plan.format, ...options, plan.after, name)
      length = statSync(plan.after).size
      continue
    }
    length += plan.longerBy ?? 0
    const backing = ['-b', imageName(i - 1), '-F', plans[i - 1]!.format]
    make('create', '-q', '-f', 'qcow2', '-o', `cluster_size=${plan.clusterSize}`, ...backing, name, String(length))
    const runs = changedRuns(plan.before, plan.after, plan.eighths ?? [0, 8])
    const fill = tool.name === 'ours' ? fillByApi : fillByReference
    await fill(folder, name, plan, runs, length)
  }
}

/** Where two raw files differ within a part of the disk, in runs of whole 64 KiB chunks. */
function changedRuns(before: string, after: string, [first, last]: readonly [number, number]): Run[] {
  const files = [openSync(before, 'r'), openSync(after, 'r')]
  const chunks = files.map(() => Buffer.alloc(chunkBytes))
  const chunkCount = statSync(after).size / chunkBytes
  const runs: Run[] = []
  try {
    for (let i = Math.floor((chunkCount / 8) * first); i < Math.floor((chunkCount / 8) * last); i++) {
      for (const [f, file] of files.entries()) readSync(file, chunks[f]!, 0, chunkBytes, i * chunkBytes)
      if (chunks[0]!.equals(chunks[1]!)) continue
      const end = (i + 1) * chunkBytes
      const previous = runs.at(-1)
      const joins = previous !== undefined && end - (previous.offset + previous.bytes) <= gapMax * chunkBytes
      if (joins) runs[runs.length - 1] = { offset: previous.offset, bytes: end - previous.offset }
      else runs.push({ offset: end - chunkBytes, bytes: chunkBytes })
    }
  } finally {
    for (const file of files) closeSync(file)
  }
  return runs
}

/** Bytes at the end of an image that is longer than the one beneath it. */
const tailBytes = 100 * 1024

type Fill = (
  folder: string,
  name: string,
  plan: ImagePlan,
  runs: readonly Run[],
  length: number,
) => Promise<void> | void

const fillByApi: Fill = async (folder, name, plan, runs, length) => {
  const file = openSync(plan.after, 'r')
  const chunk = Buffer.alloc(chunkBytes)
  const zeroes = Buffer.alloc(chunkBytes)
  await withImage(join(folder, name), async (image) => {
    for (const { offset, bytes } of runs) {
      for (let at = offset; at < offset + bytes; at += chunkBytes) {
        readSync(file, chunk, 0, chunkBytes, at)
        if (chunk.equals(zeroes)) await image.writeZeroes(at, chunkBytes)
        else await image.write(at, chunk)
      }
    }
    if (plan.longerBy !== undefined) await image.write(length - tailBytes, new Uint8Array(tailBytes).fill(0x5a))
  })
  closeSync(file)
}

/** One `convert` for each run, through windows on both sides: the one way in which qemu-img writes into part of a disk. */
const fillByReference: Fill = (folder, name, plan, runs, length) => {
  const overlay = `file.driver=qcow2,file.file.driver=file,file.file.filename=${name}`
  for (const { offset, bytes } of runs) {
    const window = `driver=raw,offset=${offset},size=${bytes}`
    const source = `${window},file.driver=file,file.filename=${plan.after}`
    const args = ['convert', '-n', '--image-opts', '--target-image-opts', source, `${window},${overlay}`]
    mustSucceed(`fill ${name}`, run('qemu-img', args, folder))
  }
  if (plan.longerBy === undefined) return
  const write = `write -P 0x5a ${length - tailBytes} ${tailBytes}`
  mustSucceed(`fill the end of ${name}`, run('qemu-io', ['-f', 'qcow2', '-c', write, name], folder))
}
