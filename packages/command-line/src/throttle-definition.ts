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
      if (!/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(text)) refuse(`Parameter '${key}' expects integer`)
      limits[typedName(name)] = Number(text)
    }
  }
  return limits
}

function typedName(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
