/** What block devices are asked through ioctl(2), and what stands in for it where there is no such call. */

import { fstatSync, readFileSync } from 'node:fs'
import { errnoOfResult, isUnsupported } from './errors.ts'
import { BlockError } from '@blocklayer/block-core/driver'
import type { Libc } from './libc.ts'

/** Requests carry their direction in their upper bits, and one architecture has them elsewhere. */
const isPower = process.arch === 'ppc64'
const withoutData = isPower ? 0x2000_0000 : 0
const readingSizeT = isPower ? 0x4008_0000 : 0x8008_0000

/** @see linux/fs.h: BLKROGET, BLKGETSIZE64, BLKSSZGET, BLKDISCARD, BLKZEROOUT; linux/cdrom.h: CDROM_DRIVE_STATUS */
const isReadOnlyRequest = withoutData + 0x125e
const lengthRequest = readingSizeT + 0x1272
const sectorSizeRequest = withoutData + 0x1268
const discardRequest = withoutData + 0x1277
const zeroRequest = withoutData + 0x127f
const driveStatusRequest = 0x5326
const currentDisc = 0x7fff_ffff

/** Bytes of a unit in which sysfs gives a device's size, whatever its sectors are. */
const sysfsUnit = 512

/** Bytes of a logical sector; `undefined` for what is no block device. */
export function sectorSize(libc: Libc, fd: number): number | undefined {
  const argument = new Uint32Array(1)
  return libc.ioctl(fd, sectorSizeRequest, bytesOf(argument)) < 0 ? undefined : argument[0]
}

/** Whether the device refuses all writes. */
export function isReadOnlyDevice(libc: Libc, fd: number): boolean {
  const argument = new Uint32Array(1)
  return libc.ioctl(fd, isReadOnlyRequest, bytesOf(argument)) >= 0 && argument[0] !== 0
}

/** Whether a drive for optical discs answers. */
export function isCdrom(libc: Libc, fd: number): boolean {
  return libc.ioctlNumber(fd, driveStatusRequest, currentDisc) >= 0
}

/**
 * Length of an open block or character device in bytes.
 *
 * @param libc - `undefined`: sysfs is asked
 * @throws BlockError `Could not refresh total sector count: …` where nobody can tell
 */
export function deviceLength(libc: Libc | undefined, fd: number): number {
  if (libc === undefined) return lengthFromSysfs(fd)
  const argument = new BigUint64Array(1)
  if (libc.ioctl(fd, lengthRequest, bytesOf(argument)) >= 0) return Number(argument[0])
  const length = libc.seekEnd(fd)
  if (length < 0) throw BlockError.withErrno(errnoOfResult(length), 'Could not refresh total sector count')
  return length
}

function lengthFromSysfs(fd: number): number {
  const stats = fstatSync(fd)
  // A character device has no end to seek to.
  if (!stats.isBlockDevice()) return 0
  try {
    return Number(readFileSync(`${sysfsFolder(stats.rdev)}/size`, 'utf8')) * sysfsUnit
  } catch (cause) {
    throw BlockError.withErrno('ENOTSUP', 'Could not refresh total sector count', { cause })
  }
}

/** The kernel's own folder of a device; the number's layout is that of the C library. */
function sysfsFolder(device: number): string {
  const low = device % 2 ** 32
  const high = Math.floor(device / 2 ** 32)
  const major = ((low >>> 8) & 0xfff) + (high & 0xffff_f000)
  const minor = (low & 0xff) + ((low >>> 12) & 0xf_ff00)
  return `/sys/dev/block/${major}:${minor}`
}

/** A range of an open device. */
export interface DeviceRange {
  readonly fd: number
  readonly offset: number
  readonly bytes: number
}

/** Discards a range on the pool. @returns what ioctl(2) returns, or the negative errno number */
export function discardRange(libc: Libc, range: DeviceRange): Promise<number> {
  return libc.ioctlPooled(range.fd, discardRequest, rangeArgument(range))
}

/** Zeroes a range on the pool. @returns as `discardRange` */
export function zeroRange(libc: Libc, range: DeviceRange): Promise<number> {
  return libc.ioctlPooled(range.fd, zeroRequest, rangeArgument(range))
}

function rangeArgument({ offset, bytes }: DeviceRange): Uint8Array {
  return bytesOf(BigUint64Array.of(BigInt(offset), BigInt(bytes)))
}

function bytesOf(array: Uint32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Whether a negative result says that the device will never do this. */
export function isRefusedForGood(result: number): boolean {
  return isUnsupported(result) || result === -notATypewriter
}

const notATypewriter = 25
