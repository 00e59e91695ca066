/** The properties of a `throttle-group` object. */

/** Limits by the names that typed code gives them: `bpsTotal`, `iopsReadMax`, `bpsWriteMaxLength`, `iopsSize`. */
export type GroupLimits = Readonly<Record<string, number>>

const kinds = ['bps', 'iops']
const directions = ['total', 'read', 'write']
const parts = ['', '-max', '-max-length']

/** Names as the command line spells them. @see QEMU 7.2 qapi/block-core.json: ThrottleLimits */
const names: readonly string[] = [
  ...kinds.flatMap((kind) => directions.flatMap((direction) => parts.map((part) => `${kind}-${direction}${part}`))),
  'iops-size',
]

/** What `throttle-group,help` lists. */
export const throttleProperties: readonly string[] = [
  'limits=<ThrottleLimits>',
  // A name before what it is the beginning of, in the reference too, but for the longest.
  ...names.map((name) => `x-${name}=<int>`).sort(byHelpOrder),
]

function byHelpOrder(a: string, b: string): number {
  const key = (line: string): string => line.replace('=<int>', '~')
  return key(a) < key(b) ? -1 : 1
}

/**
 * Takes the limits from a definition, `limits.bps-total=1000` or `x-bps-total=1000`; what it does not know stays there.
 *
 * @throws what `refuse` throws, for a value that is no integer
 */
export function takeLimits(definition: Map<string, string>, refuse: (message: string) => never): GroupLimits {
  const limits: Record<string, number> = {}
  for (const prefix of ['x-', 'limits.']) {
    for (const name of names) {
      const key = `${prefix}${name}`
      const text = definition.get(key)
      if (text === undefined) continue
      definition.delete(key)
      const value = integerOf(text)
      if (value === undefined) return refuse(`Parameter '${key}' expects integer`)
      if (prefix === 'x-') refuseProperty(key, value, refuse)
      limits[typedName(name)] = value
    }
  }
  return limits
}

/** An integer of 64 bits, as C reads it but for octal ones; `undefined` for anything else. */
function integerOf(text: string): number | undefined {
  const found = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text)
  if (found === null) return undefined
  const value = BigInt(found[2] ?? '') * (found[1] === '-' ? -1n : 1n)
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined
}

/** Single properties are judged as they are set; those of `limits` only together. */
function refuseProperty(key: string, value: number, refuse: (message: string) => never): void {
  if (value < 0) refuse('Property values cannot be negative')
  // Two words run together in the reference's message.
  const isTooLong = key.endsWith('-max-length') && value > secondsMax
  if (isTooLong) refuse(`${key} value must be in therange [0, ${secondsMax}]`)
}

/** The longest burst that a property can say. */
const secondsMax = 2 ** 32 - 1

function typedName(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
