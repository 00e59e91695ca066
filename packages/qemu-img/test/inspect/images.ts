/** Images for the inspector, in files of memory that tell which of them were opened. */

import { type AnyDriver, type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import { nodeSpec } from '@blocklayer/block-core/driver'
import { MemoryFiles, MemoryStore } from '@blocklayer/block-core/testing'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { type Inspection, inspectImage, type Verdict } from '../../src/index.ts'

/** Mebibyte. */
export const MiB: number = 1024 * 1024

/** How an image is made. */
export interface ImageRecipe {
  readonly size?: number
  readonly options?: Readonly<Record<string, string | number>>
  /** Name of a backing file that is not looked at. */
  readonly backing?: string
  readonly use?: (disk: BlockBackend) => Promise<void>
}

/** Bytes of a new qcow2 image. */
export async function newImage({ size = MiB, options = {}, backing, use }: ImageRecipe = {}): Promise<Uint8Array> {
  const files = new MemoryFiles()
  await using graph = createBlockGraph({ drivers: [files.driver, rawDriver, qcow2Driver], implicitOpen: 'allow' })
  const named = backing === undefined ? {} : { backing: { filename: backing, format: 'raw' }, unsafeBacking: true }
  await graph.create('qcow2', 'mem:image', { size, options, ...named })
  if (use !== undefined) {
    const disk = await graph.open('mem:image', { format: 'qcow2' })
    await use(disk)
    await disk.close()
  }
  return files.stores.get('image')!.bytes()
}

/** A verdict, and the files that were opened for it. */
export interface Judged extends Verdict {
  readonly opened: readonly string[]
  readonly codes: readonly string[]
}

/** Judges a file of these bytes, beside which every other file that it may name exists. */
export async function judge(bytes: Uint8Array, how: Partial<Inspection> = {}): Promise<Judged> {
  const files = new MemoryFiles()
  files.stores.set('image', new MemoryStore(bytes))
  for (const name of ['secret', '/etc/shadow', 'mem:secret']) files.stores.set(name, new MemoryStore(MiB))
  const opened: string[] = []
  const recording: AnyDriver = {
    ...files.driver,
    open: (context, options: { readonly filename: string }) => {
      opened.push(options.filename)
      return files.driver.open(context, options)
    },
  }
  const file = nodeSpec(recording, { filename: 'image' })
  // The graph of the inspector knows the protocol, too: only its policy keeps it from using it.
  const formats = [recording, rawDriver, qcow2Driver]
  const verdict = await inspectImage({ file, formats, ...how })
  return { ...verdict, opened: [...new Set(opened)], codes: verdict.reasons.map(({ code }) => code) }
}
