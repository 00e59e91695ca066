/** The lines with which a request is reported when it is done. */

import { fixed } from './c-format.ts'

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** A request that was done. */
export interface RequestReport {
  readonly verb: 'wrote' | 'read' | 'discard'
  readonly offset: number
  /** As requested; reports never tell of less. */
  readonly bytes: number
  readonly seconds: number
}

/** An amount in the largest unit that leaves 1 or more: `64 KiB`, `1.500 KiB`, `512 bytes`. */
export function sizeText(bytes: number): string {
  let [amount, unit] = [bytes, 0]
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  const digits = fixed(amount, unit === 0 ? 6 : 3)
  const zeroes = digits.indexOf('.000')
  return `${zeroes < 0 ? digits : digits.slice(0, zeroes)} ${units[unit]}`
}

/** `wrote 65536/65536 bytes at offset 0` and, below, amount, time and rates. */
export function humanReport({ verb, offset, bytes, seconds }: RequestReport): string {
  const rates = `${sizeText(bytes / seconds)}/sec and ${fixed(1 / seconds, 4)} ops/sec`
  const first = `${verb} ${bytes}/${bytes} bytes at offset ${offset}`
  return `${first}\n${sizeText(bytes)}, 1 ops; ${shortTime(seconds)} (${rates})\n`
}

/** One line for programs: bytes, requests, time, bytes and requests per second (`-C`). */
export function machineReport({ bytes, seconds }: RequestReport): string {
  return `${bytes},1,${fullTime(seconds)},${fixed(bytes / seconds, 3)},${fixed(1 / seconds, 3)}\n`
}

function shortTime(seconds: number): string {
  return seconds < 1 ? `${fixed(seconds, 2).padStart(5, '0')} sec` : fullTime(seconds)
}

function fullTime(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  return `${hours}:${String(minutes).padStart(2, '0')}:${fixed(seconds % 60, 2).padStart(5, '0')}`
}
