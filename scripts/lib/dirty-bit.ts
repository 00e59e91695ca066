/** What a qcow2 header on disk says of how the image was left. */
import { closeSync, openSync, readSync } from 'node:fs'

/** Whether the header carries the dirty bit (incompatible features, bit 0). */
export function isDirty(path: string): boolean {
  const header = readHeader(path)
  return header.readUInt32BE(4) >= 3 && (header[79]! & 1) === 1
}

/** Whether the image has the old version, which has no dirty bit. */
export function isVersion2(path: string): boolean {
  return readHeader(path).readUInt32BE(4) === 2
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(80)
  const file = openSync(path, 'r')
  readSync(file, header, 0, header.length, 0)
  closeSync(file)
  return header
}
