/** What the tests of this package share: temporary folders, chains of images, and the reference. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockGraph, createBlockGraph } from '@blocklayer/block-core'
import { createFileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { onTestFinished } from 'vitest'
import { copyOnReadDriver } from '../src/index.ts'

/** Bytes of each image. */
export const imageBytes: number = 1024 * 1024

/** A graph that closes with the test. */
export function newGraph(): BlockGraph {
  const drivers = [createFileDriver({ aio: 'sync' }), rawDriver, qcow2Driver, copyOnReadDriver]
  const graph = createBlockGraph({ drivers, implicitOpen: 'allow' })
  onTestFinished(() => graph.close())
  return graph
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-cor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Makes `base.raw`, full of 1, and on it `b.qcow2`, `c.qcow2` and `d.qcow2`; `b` has 2 in 256k to 320k, `c` has 3 in 512k to 576k.
 *
 * @returns the options that open `d` below a copy-on-read node, the others as nodes `c`, `b` and `base`
 */
export async function makeChain(folder: string): Promise<Record<string, string>> {
  const graph = newGraph()
  const at = (name: string) => join(folder, name)
  await graph.create('raw', at('base.raw'), { size: imageBytes })
  const write = async (name: string, format: string, value: number, offset: number, bytes: number) => {
    const disk = await graph.open(at(name), { format })
    await disk.write(offset, new Uint8Array(bytes).fill(value))
    await disk.close()
  }
  await write('base.raw', 'raw', 1, 0, imageBytes)
  for (const [name, below, format] of [
    ['b', 'base.raw', 'raw'],
    ['c', 'b.qcow2', 'qcow2'],
    ['d', 'c.qcow2', 'qcow2'],
  ] as const) {
    const backing = { filename: below, format }
    await graph.create('qcow2', at(`${name}.qcow2`), { size: imageBytes, backing })
  }
  await write('b.qcow2', 'qcow2', 2, 256 * 1024, 64 * 1024)
  await write('c.qcow2', 'qcow2', 3, 512 * 1024, 64 * 1024)
  const image = (prefix: string, driver: string, name: string) => ({
    [`${prefix}.driver`]: driver,
    [`${prefix}.file.driver`]: 'file',
    [`${prefix}.file.filename`]: at(name),
  })
  return {
    driver: 'copy-on-read',
    ...image('file', 'qcow2', 'd.qcow2'),
    ...image('file.backing', 'qcow2', 'c.qcow2'),
    'file.backing.node-name': 'c',
    ...image('file.backing.backing', 'qcow2', 'b.qcow2'),
    'file.backing.backing.node-name': 'b',
    ...image('file.backing.backing.backing', 'raw', 'base.raw'),
    'file.backing.backing.backing.node-name': 'base',
  }
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool and gives all that it prints. */
export function reference(tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', timeout: 20_000 })
  return stdout + stderr
}

/** `driver=…,file.driver=…`. */
export function asText(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}
