/** An operation on an image, and the order of events and requests that it comes to. */

import type { BlockBackend } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { KiB, MiB, newImage, openDisk } from '../helpers/disk.ts'

/**
 * One row. Orders are words with blanks between them: names of events; `R`, `W`, `Z`, `P`, `F` and `T` for reads, writes,
 * zero writes, discards, flushes and truncations of the file.
 */
export interface Operation {
  readonly name: string
  readonly create?: Qcow2CreateOptions
  /** Bytes; default 1 MiB. */
  readonly size?: number
  /** There is a backing file, full of data. */
  readonly backing?: true
  /** Done before; the image is closed and opened again afterwards. */
  readonly prepare?: (disk: BlockBackend) => Promise<unknown>
  /** Changes to the closed image. */
  readonly damage?: (image: Uint8Array) => void
  /** Opened for a check. */
  readonly check?: true
  /** Done before with the image as it is open then. */
  readonly warmUp?: (disk: BlockBackend) => Promise<unknown>
  readonly act: (disk: BlockBackend) => Promise<unknown>
  /** What is looked at; default `act`. */
  readonly part?: 'open' | 'close'
  /** As observed from qemu-img and qemu-io 7.2 (spec/qcow2.md, appendix B). */
  readonly reference: string
  /** Where ours is another, and why. */
  readonly ours?: { readonly order: string; readonly because: string }
}

/** Runs the operation and gives the order. */
export async function orderOf(operation: Operation): Promise<string> {
  const { create = {}, size = MiB, prepare, damage, check, warmUp, act, part = 'act' } = operation
  const store = new MemoryStore(await newImage(size, create))
  const backing = operation.backing === true ? await fullBacking() : undefined
  const log: string[] = []
  const before = await openDisk(store, { backing, unmap: true })
  await prepare?.(before.disk)
  await before.close()
  if (damage !== undefined) {
    const image = store.bytes()
    damage(image)
    store.write(0, image)
  }
  const orders: Record<string, string> = {}
  const take = (name: string): void => {
    // The file announces its own writes too; they say no more than the requests themselves.
    orders[name] = log.filter((entry) => !entry.startsWith('pwritev')).join(' ')
    log.length = 0
  }
  const { disk, close } = await openDisk(store, { log, backing, unmap: true, ...(check === true && { check }) })
  take('open')
  await warmUp?.(disk)
  log.length = 0
  await act(disk)
  take('act')
  await close()
  take('close')
  return orders[part]!
}

async function fullBacking(): Promise<MemoryStore> {
  const backing = new MemoryStore(await newImage(MiB))
  const { disk, close } = await openDisk(backing)
  await disk.write(0, filled(7, MiB))
  await close()
  return backing
}

/** Writes `length` KiB at `offset` KiB. */
export function write(offset: number, length: number): (disk: BlockBackend) => Promise<void> {
  return (disk) => disk.write(offset * KiB, filled(1, length * KiB))
}

/** One after the other. */
export function steps(...acts: readonly Operation['act'][]): Operation['act'] {
  return async (disk) => {
    for (const act of acts) await act(disk)
  }
}

/** Guest flush. */
export const flush = (disk: BlockBackend): Promise<void> => disk.flush()

/** Nothing. */
export const nothing = async (): Promise<void> => undefined
