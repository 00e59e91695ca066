/** The table of an image's internal snapshots. */

import type { SnapshotFacts } from '@blocklayer/block-core'
import type { Compat } from '../compat.ts'
import { humanSize } from './human-size.ts'

const encoder = new TextEncoder()

/**
 * The table for people; fields that are too long push the rest to the right.
 *
 * @see QEMU 7.2 block/qapi.c: bdrv_snapshot_dump
 */
export function humanSnapshots(snapshots: readonly SnapshotFacts[], compat: Compat = '7.2'): string {
  if (compat === '10') return ['Snapshot list:', head10, ...snapshots.map(row10)].map((line) => `${line}\n`).join('')
  const head = `${'ID'.padEnd(10)}${'TAG'.padEnd(17)}${'VM SIZE'.padStart(8)}${'DATE'.padStart(20)}${'VM CLOCK'.padStart(13)}${'ICOUNT'.padStart(11)}`
  return ['Snapshot list:', head, ...snapshots.map(row)].map((line) => `${line}\n`).join('')
}

function row(snapshot: SnapshotFacts): string {
  const { id, name, vmStateBytes, icount } = snapshot
  const size = humanSize(vmStateBytes).padStart(8)
  const date = localDate(snapshot.dateSeconds).padStart(20)
  const clock = clockText(snapshot.vmClockNanoseconds).padStart(13)
  const count = (icount === undefined ? '' : String(icount)).padStart(11)
  return `${padBytes(id, 9)} ${padBytes(name, 16)} ${size}${date}${clock}${count}`
}

const head10 =
  `${'ID'.padEnd(7)} ${'TAG'.padEnd(16)} ${'VM_SIZE'.padStart(8)} ${'DATE'.padStart(19)} ` +
  `${'VM_CLOCK'.padStart(15)} ${'ICOUNT'.padStart(10)}`

/** QEMU 9.1 and later: fields never run into each other, and no count of instructions is `--`. */
function row10(snapshot: SnapshotFacts): string {
  const { id, name, vmStateBytes, icount, dateSeconds, vmClockNanoseconds } = snapshot
  const [hours = '', ...rest] = clockText(vmClockNanoseconds).split(':')
  const clock = [hours.padStart(4, '0'), ...rest].join(':').padStart(15)
  const count = (icount === undefined ? '--' : String(icount)).padStart(10)
  const place = `${padBytes(id, 7)} ${padBytes(name, 16)} ${humanSize(vmStateBytes).padStart(8)}`
  return `${place} ${localDate(dateSeconds).padStart(19)} ${clock} ${count}`
}

/** C pads to bytes, not to characters. */
function padBytes(text: string, bytes: number): string {
  return text + ' '.repeat(Math.max(0, bytes - encoder.encode(text).length))
}

/** `%Y-%m-%d %H:%M:%S` in the time zone of whoever looks. */
function localDate(seconds: number): string {
  const date = new Date(seconds * 1000)
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

function clockText(nanoseconds: number): string {
  const milliseconds = Math.floor(nanoseconds / 1_000_000)
  const seconds = Math.floor(milliseconds / 1000)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two)
  return `${parts.join(':')}.${String(milliseconds % 1000).padStart(3, '0')}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
