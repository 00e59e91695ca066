/** Both sides of the interop matrix: ours in memory, the reference in one shell for all images of a round. */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import { type MemoryStore, memory } from '@blocklayer/block-core/testing'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { qcow2, qcow2Driver } from '../../src/index.ts'
import type { BackingKind, Row } from './matrix.ts'
import { type ByteRun, ioCommand, type Request } from './program.ts'

/** One image and, where it has one, its data file. */
export interface Stored {
  readonly image: MemoryStore
  readonly data: MemoryStore | undefined
}

/** Name of the data file of `image`. */
export function dataName(image: string): string {
  return `${image}.data`
}

/** Creation options of ours. */
export function ourOptions(row: Row, image: string): Qcow2CreateOptions {
  const { version, clusterSize, refcountBits, extendedL2, compression, dataFile, preallocation } = row
  return {
    compat: version === 2 ? '0.10' : '1.1',
    clusterSize,
    refcountBits,
    extendedL2,
    compressionType: compression,
    preallocation,
    ...(dataFile === 'none' ? {} : { dataFile: dataName(image), dataFileRaw: dataFile === 'raw' }),
  }
}

/** The same for the reference. */
export function theirOptions(row: Row, image: string): string {
  const { version, clusterSize, refcountBits, extendedL2, compression, dataFile, preallocation } = row
  return [
    `compat=${version === 2 ? '0.10' : '1.1'},cluster_size=${clusterSize},refcount_bits=${refcountBits}`,
    `extended_l2=${extendedL2 ? 'on' : 'off'},compression_type=${compression},preallocation=${preallocation}`,
    ...(dataFile === 'none' ? [] : [`data_file=${dataName(image)},data_file_raw=${dataFile === 'raw' ? 'on' : 'off'}`]),
  ].join(',')
}

/** Opens an image of ours for as long as `use` runs. */
export async function withOurs<Result>(
  { image, data }: Stored,
  backing: { readonly kind: BackingKind; readonly store: MemoryStore } | undefined,
  use: (disk: BlockBackend) => Promise<Result>,
): Promise<Result> {
  await using graph = createBlockGraph({ drivers: [qcow2Driver], implicitOpen: 'deny' })
  const below = backing === undefined ? null : memory(backing.store)
  const dataFile = data === undefined ? {} : { dataFile: memory(data) }
  const disk = await graph.open(qcow2({ file: memory(image), ...dataFile }), {
    unmap: true,
    backing: backing?.kind.format === 'qcow2' ? qcow2({ file: memory(backing.store), backing: null }) : below,
  })
  return await use(disk)
}

/** Does the requests to a disk of ours. */
export async function runOurs(disk: BlockBackend, requests: readonly Request[]): Promise<void> {
  for (const { kind, offset, bytes, pattern } of requests) {
    if (kind === 'write') await disk.write(offset, new Uint8Array(bytes).fill(pattern))
    else if (kind === 'compressed') await disk.writeCompressed(offset, new Uint8Array(bytes).fill(pattern))
    else await disk.writeZeroes(offset, bytes, { mayUnmap: kind === 'unmap' })
  }
}

/** A round of the reference: what is done to many images, and what it said. */
export class Round {
  readonly #folder: string
  readonly #name: string
  readonly #lines: string[] = ['ulimit -c 0', 'PATH=/usr/bin:/bin']

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
  }

  /** Makes an image. */
  create(image: string, words: string): void {
    this.#lines.push(`qemu-img create -q ${words} >>${image}.said 2>&1`)
  }

  /** Does the requests, and looks at all that is there. */
  use(image: string, how: { readonly requests?: readonly Request[]; readonly content?: readonly ByteRun[] }): void {
    const { requests = [], content = [] } = how
    const reads = content.map(({ start, bytes, value }) => `read -q -P ${value} ${start} ${bytes}`)
    const words = [...requests.map(ioCommand), ...reads].map((command) => `-c '${command}'`).join(' ')
    this.#lines.push(`qemu-io -t unsafe -f qcow2 ${words} ${image} >>${image}.said 2>&1`)
  }

  /** Checks. */
  check(image: string): void {
    this.#lines.push(`qemu-img check -q -f qcow2 ${image} >>${image}.said 2>&1 || echo exit code $? >>${image}.said`)
  }

  /** Two shells side by side would be no faster: ours goes on beside this one. */
  run(): Promise<void> {
    const path = join(this.#folder, `${this.#name}.sh`)
    writeFileSync(path, `${this.#lines.join('\n')}\n`)
    return new Promise((resolve, reject) => {
      const shell = spawn('sh', [path], { cwd: this.#folder, stdio: 'ignore' })
      shell.on('error', reject)
      shell.on('close', () => resolve())
    })
  }

  /** Complaints about an image in all rounds; empty: none. */
  said(image: string): string {
    const path = join(this.#folder, `${image}.said`)
    return existsSync(path) ? readFileSync(path, 'utf8') : 'it was never looked at'
  }
}
