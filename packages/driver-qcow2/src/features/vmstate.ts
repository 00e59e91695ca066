/** Machine state: kept like guest data, behind the end of the disk. */

import type { Reader } from '../data/read.ts'
import type { Writer } from '../data/write.ts'
import { type Geometry, l1EntriesFor } from '../format/geometry.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { ImageFile } from '../metadata/image-file.ts'

/** What machine state is reached through. */
export interface VmStateParts {
  readonly file: Pick<ImageFile, 'debugEvent'>
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly reader: Reader
  readonly writer: Writer
}

/**
 * Where machine state begins, in guest bytes: at the first L1 entry that the disk does not need.
 *
 * @see QEMU 7.2 block/qcow2.h: qcow2_vm_state_offset
 */
export function vmStateOffset({ geometry, header }: Pick<VmStateParts, 'geometry' | 'header'>): number {
  return l1EntriesFor(geometry, header.header.size) * geometry.l2Coverage
}

/** @param offset - in the state */
export async function readVmState(parts: VmStateParts, offset: number, into: Uint8Array): Promise<void> {
  await parts.file.debugEvent('vmstate_load')
  await parts.reader.read(vmStateOffset(parts) + offset, into)
}

/** @param offset - in the state */
export async function writeVmState(parts: VmStateParts, offset: number, data: Uint8Array): Promise<void> {
  await parts.file.debugEvent('vmstate_save')
  await parts.writer.write(vmStateOffset(parts) + offset, data)
}
