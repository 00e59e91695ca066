/** The extents of `map`, written for people or for programs. */

import { continuesPlace, type MapExtent } from '@blocklayer/qemu-img'
import type { Compat } from '../compat.ts'
import { Failure } from '../failure.ts'

/** Turns extents into text, one after the other. */
export interface MapPrinter {
  /** Whether `next` continues `current` so that both are shown as one. */
  continues(current: MapExtent, next: MapExtent): boolean
  head(): string
  /** @throws Failure for an extent that this form cannot show */
  extent(extent: MapExtent): string
  tail(): string
}

/**
 * Extents for people: a table of the ranges that hold data.
 *
 * @see QEMU 7.2 qemu-img.c: dump_map_entry, entry_mergeable
 */
export const humanMap: MapPrinter = {
  // What people are not shown needs no merging.
  continues: (current, next) =>
    isShown(current) && isShown(next) && current.depth === next.depth && continuesPlace(current, next),
  head: () => `${'Offset'.padEnd(16)}${'Length'.padEnd(16)}${'Mapped to'.padEnd(16)}File\n`,
  extent(extent) {
    if (extent.data && extent.hostOffset === undefined) {
      throw new Failure('File contains external, encrypted or compressed clusters.')
    }
    if (!isShown(extent)) return ''
    return `${hex(extent.start)}${hex(extent.bytes)}${hex(extent.hostOffset ?? 0)}${extent.filename}\n`
  },
  tail: () => '',
}

/**
 * Extents for programs: a list of objects, in a layout of its own rather than that of the other commands.
 *
 * @param compat - since QEMU 8.2 the list tells what is compressed
 */
export function jsonMap(compat: Compat = '7.2'): MapPrinter {
  let count = 0
  return {
    continues: (current, next) =>
      current.depth === next.depth &&
      sameFlags(current, next) &&
      (compat === '7.2' || current.compressed === next.compressed) &&
      continuesPlace(current, next),
    head: () => '[',
    extent(extent) {
      const separator = count++ === 0 ? '' : ',\n'
      const offset = extent.hostOffset === undefined ? '' : `, "offset": ${extent.hostOffset}`
      const compressed = compat === '7.2' ? '' : `, "compressed": ${extent.compressed}`
      return (
        `${separator}{ "start": ${extent.start}, "length": ${extent.bytes}, "depth": ${extent.depth}, ` +
        `"present": ${extent.present}, "zero": ${extent.zero}, "data": ${extent.data}${compressed}${offset}}`
      )
    },
    tail: () => ']\n',
  }
}

function isShown(extent: MapExtent): boolean {
  return extent.data && !extent.zero
}

function sameFlags(a: MapExtent, b: MapExtent): boolean {
  return a.data === b.data && a.zero === b.zero && a.present === b.present
}

/** C's `%#-16x`. */
function hex(value: number): string {
  return (value === 0 ? '0' : `0x${value.toString(16)}`).padEnd(16)
}
