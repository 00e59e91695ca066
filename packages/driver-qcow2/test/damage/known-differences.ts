/** Where the verdicts may differ, and why: the rows "Damage" of docs/differences.md. */

import type { Case } from './cases.ts'

/** A difference from the reference. */
export interface Difference {
  readonly reason: string
  readonly applies: (each: Case) => boolean
  /** A check without repair finds the same. */
  readonly onlyMended?: true
}

/** Mutations of that name. */
function named(pattern: RegExp, more: (each: Case) => boolean = () => true): Difference['applies'] {
  return (each) => pattern.test(each.mutation.name) && more(each)
}

/** Images that are judged or mended otherwise on purpose. */
export const differences: readonly Difference[] = [
  {
    reason: 'a size past 2^63 is no size: the reference adds to it until it is a small one',
    applies: named(/^virtual size 2\^64/),
  },
  {
    reason: 'the reference rewrites the header of an image that it has not read the snapshots of, and loses them',
    applies: named(/^autoclear bits nobody knows$/, ({ base }) => base.with === 'snapshots'),
    onlyMended: true,
  },
  {
    reason: 'the reference frees the wrong cluster when it frees one behind all that it can count',
    applies: named(/^snapshot table at 2\^(50|62)$/, ({ base }) => base.compat === '1.1'),
    onlyMended: true,
  },
  {
    reason: 'the reference takes the bit for bitmaps that are nowhere as given, and cannot write to such an image',
    applies: named(/^header length of the whole cluster$/),
    onlyMended: true,
  },
]

/** How the verdict on that image may differ; `undefined` where it must not. */
export function knownDifference(each: Case): Difference | undefined {
  return differences.find(({ applies }) => applies(each))
}
