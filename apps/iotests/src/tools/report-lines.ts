/** The two lines with which qemu-io reports a request. */

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** A request that was done. */
export interface RequestReport {
  readonly verb: 'wrote' | 'read' | 'discard'
  readonly offset: number
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
export function requestText({ verb, offset, bytes, seconds }: RequestReport): string {
  const rates = `${sizeText(bytes / seconds)}/sec and ${fixed(1 / seconds, 4)} ops/sec`
  const first = `${verb} ${bytes}/${bytes} bytes at offset ${offset}`
  return `${first}\n${sizeText(bytes)}, 1 ops; ${timeText(seconds)} (${rates})\n`
}

/** C's `%.<digits>f`. Of two equally near results C takes the even one, JavaScript the larger. */
function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return 'inf'
  const exact = value.toFixed(60)
  const cut = exact.indexOf('.') + 1 + digits
  const isTie = /^50*$/.test(exact.slice(cut))
  return isTie && /[02468]$/.test(exact.slice(0, cut)) ? exact.slice(0, cut) : value.toFixed(digits)
}

function timeText(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2).padStart(5, '0')} sec`
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  return `${hours}:${String(minutes).padStart(2, '0')}:${(seconds % 60).toFixed(2).padStart(5, '0')}`
}
