/** What the tests of this package share: graphs that close with the test, and the reference. */

import { spawnSync } from 'node:child_process'
import { type BlockBackend, type BlockGraph, createBlockGraph } from '@blocklayer/block-core'
import type { NodeSpec } from '@blocklayer/block-core/driver'
import { onTestFinished } from 'vitest'
import { nullAioDriver, nullCoDriver } from '../src/index.ts'

/** A graph that closes with the test. */
export function newGraph(): BlockGraph {
  const graph = createBlockGraph({ drivers: [nullCoDriver, nullAioDriver], implicitOpen: 'deny' })
  onTestFinished(() => graph.close())
  return graph
}

/** Opens a file name, options as text (`driver=null-co,size=4k`), or a description in code. */
export function open(image: string | NodeSpec): Promise<BlockBackend> {
  if (typeof image !== 'string' || !image.startsWith('driver=')) return newGraph().open(image)
  const pairs = image.split(',').map((pair) => pair.split('=') as [string, string])
  return newGraph().open(new Map(pairs))
}

/** The message that opening fails with. */
export async function failure(image: string | NodeSpec): Promise<string> {
  try {
    await open(image)
    return 'opened'
  } catch (error) {
    return (error as Error).message
  }
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool and gives all that it prints. */
export function reference(tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' })
  return stdout + stderr
}
