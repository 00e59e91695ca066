/** File system attributes of a new image file: no copy-on-write, and how much to allocate at a time. */

import { errnoText } from '@blocklayer/block-core/driver'
import { errnoOfResult, isUnsupported } from './errors.ts'
import type { Libc } from './libc.ts'

/** Requests of ioctl(2); 64-bit Linux. */
const getFlags = 0x80086601
const setFlags = 0x40086602
const getExtendedAttributes = 0x801c581f
const setExtendedAttributes = 0x401c5820

/** Attribute "do not copy on write". @see ioctl_iflags(2): FS_NOCOW_FL */
const noCopyOnWrite = 0x0080_0000

/** "The extent size hint counts." @see xfs: struct fsxattr, FS_XFLAG_EXTSIZE */
const extentSizeCounts = 0x0800

/** Size of `struct fsxattr`; its first two words are the flags and the extent size. */
const extendedAttributeBytes = 28

const notATypewriter = 25

/** What to set. */
export interface FileAttributes {
  readonly nocow: boolean
  /** Bytes; 0 leaves the choice to the file system. */
  readonly extentSizeHint: number
}

/**
 * Sets the attributes on an empty file, as far as the file system has them: they change speed, never content.
 *
 * @param warn - told where a file system that has the attribute refuses the value
 */
export function setFileAttributes(
  libc: Libc,
  fd: number,
  attributes: FileAttributes,
  warn: (text: string) => void,
): void {
  if (attributes.nocow) report(setNoCopyOnWrite(libc, fd), 'Could not turn off copy-on-write', warn)
  if (attributes.extentSizeHint > 0) {
    report(setExtentSize(libc, fd, attributes.extentSizeHint), 'Could not set extent size hint', warn)
  }
}

function setNoCopyOnWrite(libc: Libc, fd: number): number {
  const flags = new Uint32Array(2)
  const argument = new Uint8Array(flags.buffer)
  const result = libc.ioctl(fd, getFlags, argument)
  if (result < 0) return result
  flags[0] = (flags[0] ?? 0) | noCopyOnWrite
  return libc.ioctl(fd, setFlags, argument)
}

function setExtentSize(libc: Libc, fd: number, bytes: number): number {
  const words = new Uint32Array(extendedAttributeBytes / 4)
  const argument = new Uint8Array(words.buffer)
  const result = libc.ioctl(fd, getExtendedAttributes, argument)
  if (result < 0) return result
  words[0] = (words[0] ?? 0) | extentSizeCounts
  words[1] = bytes
  return libc.ioctl(fd, setExtendedAttributes, argument)
}

function report(result: number, words: string, warn: (text: string) => void): void {
  // ENOTTY is how most file systems say that they have no such attribute.
  if (result >= 0 || result === -notATypewriter || isUnsupported(result)) return
  warn(`${words}: ${errnoText(errnoOfResult(result))}`)
}
