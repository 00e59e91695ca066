/** Hides what an implementation's programs are called. */

import type { Filter } from './filter.ts'

/** Replaces `found` before a message, as in `my-qemu-img: Could not open …`, by the reference's name. */
export function programNameFilter(found: string, reference: string): Filter {
  const prefixes = [found, found.replace(/\.[cm]?[jt]s$/, '')].map((name) => `${name}: `)
  return (text) =>
    text
      .split('\n')
      .map((line) => {
        const prefix = prefixes.find((candidate) => line.startsWith(candidate))
        return prefix === undefined ? line : `${reference}: ${line.slice(prefix.length)}`
      })
      .join('\n')
}
