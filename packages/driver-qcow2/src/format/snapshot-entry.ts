/** Entries of the snapshot table. */

import { readU64, roundUp, viewOf, writeU64 } from './bytes.ts'

/** Bytes of the part of an entry that every entry has. */
export const snapshotFixedBytes = 40

/** Extra bytes that version 3 requires: the vm state's and the disk's size. */
export const snapshotExtraV3Min = 16

/** Extra bytes that are always written. */
export const snapshotExtraKnown = 24

/** The first 40 bytes of an entry. */
export interface SnapshotFixed {
  readonly l1TableOffset: number
  /** Its lower half where it is past 2^53: the offset itself is rounded there, and says nothing of its alignment. */
  readonly l1TableOffsetLow?: number
  /** Entries. */
  readonly l1Size: number
  readonly idBytes: number
  readonly nameBytes: number
  readonly dateSeconds: number
  readonly dateNanoseconds: number
  readonly vmClockNanoseconds: number
  /** The old 32-bit field; extra data overrides it. */
  readonly vmStateSize32: number
  readonly extraBytes: number
}

/** One snapshot. */
export interface SnapshotEntry {
  readonly l1TableOffset: number
  /** As it was found on disk: see `SnapshotFixed`. */
  readonly l1TableOffsetLow?: number
  /** Entries. */
  readonly l1Size: number
  readonly id: Uint8Array
  readonly name: Uint8Array
  readonly dateSeconds: number
  readonly dateNanoseconds: number
  readonly vmClockNanoseconds: number
  readonly vmStateSize: number
  /** Virtual size when the snapshot was made; `undefined` where the entry is too old to know. */
  readonly diskSize: number | undefined
  /** Halves of the instruction count; all ones where there is none. */
  readonly icountHigh: number
  readonly icountLow: number
  /** Bytes of extra data beyond those known, written again as they are. */
  readonly unknownExtra: Uint8Array
  /** Bytes of extra data that the entry has on disk. */
  readonly extraBytes: number
}

/** Decodes the first 40 bytes of an entry. @see docs/interop/qcow2.txt, "Snapshots" */
export function decodeSnapshotFixed(bytes: Uint8Array): SnapshotFixed {
  const view = viewOf(bytes)
  return {
    l1TableOffset: readU64(view, 0),
    ...(view.getUint32(0) >= 2 ** 21 && { l1TableOffsetLow: view.getUint32(4) }),
    l1Size: view.getUint32(8),
    idBytes: view.getUint16(12),
    nameBytes: view.getUint16(14),
    dateSeconds: view.getUint32(16),
    dateNanoseconds: view.getUint32(20),
    vmClockNanoseconds: readU64(view, 24),
    vmStateSize32: view.getUint32(32),
    extraBytes: view.getUint32(36),
  }
}

/** The parts of an entry that follow its first 40 bytes. */
export interface SnapshotRest {
  /** Extra data; shorter than `fixed.extraBytes` where the caller cut it. */
  readonly extra: Uint8Array
  readonly id: Uint8Array
  readonly name: Uint8Array
}

const nothing = new Uint8Array(0)

/** Puts an entry together from its parts, which it keeps: copies of tens of thousands of texts would take much memory. */
export function decodeSnapshotEntry(fixed: SnapshotFixed, { extra, id, name }: SnapshotRest): SnapshotEntry {
  const view = viewOf(extra)
  return {
    l1TableOffset: fixed.l1TableOffset,
    ...(fixed.l1TableOffsetLow !== undefined && { l1TableOffsetLow: fixed.l1TableOffsetLow }),
    l1Size: fixed.l1Size,
    id: untilNul(id),
    name: untilNul(name),
    dateSeconds: fixed.dateSeconds,
    dateNanoseconds: fixed.dateNanoseconds,
    vmClockNanoseconds: fixed.vmClockNanoseconds,
    vmStateSize: extra.length >= 8 ? readU64(view, 0) : fixed.vmStateSize32,
    diskSize: extra.length >= 16 ? readU64(view, 8) : undefined,
    icountHigh: extra.length >= 24 ? view.getUint32(16) : 0xffffffff,
    icountLow: extra.length >= 24 ? view.getUint32(20) : 0xffffffff,
    unknownExtra: extra.length > snapshotExtraKnown ? extra.subarray(snapshotExtraKnown) : nothing,
    extraBytes: fixed.extraBytes,
  }
}

/** A text as the reference takes it: what follows a NUL is neither shown nor written again. */
function untilNul(text: Uint8Array): Uint8Array {
  const end = text.indexOf(0)
  return end < 0 ? text : text.subarray(0, end)
}

/** Bytes of an entry as it will be written, without the padding that aligns the next one to 8. */
export function encodedSnapshotBytes(entry: SnapshotEntry): number {
  return snapshotFixedBytes + snapshotExtraKnown + entry.unknownExtra.length + entry.id.length + entry.name.length
}

/** Bytes of a whole table of `entries`; the last one is not padded. */
export function snapshotTableBytes(entries: readonly SnapshotEntry[]): number {
  return entries.reduce((bytes, entry) => roundUp(bytes, 8) + encodedSnapshotBytes(entry), 0)
}

/**
 * The snapshot table's bytes.
 *
 * @param currentSize - virtual size in bytes, for entries that do not record one
 */
export function encodeSnapshotTable(entries: readonly SnapshotEntry[], currentSize: number): Uint8Array {
  const table = new Uint8Array(snapshotTableBytes(entries))
  let at = 0
  for (const entry of entries) {
    at = roundUp(at, 8)
    const bytes = encodedSnapshotBytes(entry)
    encodeEntry(entry, currentSize, table.subarray(at, at + bytes))
    at += bytes
  }
  return table
}

function encodeEntry(entry: SnapshotEntry, currentSize: number, into: Uint8Array): void {
  const view = viewOf(into)
  writeU64(view, 0, entry.l1TableOffset)
  if (entry.l1TableOffsetLow !== undefined) view.setUint32(4, entry.l1TableOffsetLow)
  view.setUint32(8, entry.l1Size)
  view.setUint16(12, entry.id.length)
  view.setUint16(14, entry.name.length)
  view.setUint32(16, entry.dateSeconds)
  view.setUint32(20, entry.dateNanoseconds)
  writeU64(view, 24, entry.vmClockNanoseconds)
  view.setUint32(32, entry.vmStateSize < 2 ** 32 ? entry.vmStateSize : 0)
  view.setUint32(36, snapshotExtraKnown + entry.unknownExtra.length)
  writeU64(view, 40, entry.vmStateSize)
  writeU64(view, 48, entry.diskSize ?? currentSize)
  view.setUint32(56, entry.icountHigh)
  view.setUint32(60, entry.icountLow)
  into.set(entry.unknownExtra, snapshotFixedBytes + snapshotExtraKnown)
  const names = snapshotFixedBytes + snapshotExtraKnown + entry.unknownExtra.length
  into.set(entry.id, names)
  into.set(entry.name, names + entry.id.length)
}
