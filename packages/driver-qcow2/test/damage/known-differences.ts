/** Where the verdicts may differ, and why: the rows "Damage" of docs/differences.md. */

import type { Case } from './cases.ts'

/** What a disagreement is about: the verdict of a check or of a repair (exit status and counts), or what was told. */
export type Subject =
  | 'what ours has mended'
  | 'what theirs has mended'
  | 'checked'
  | 'checked: words'
  | 'repaired'
  | 'repaired: words'
  | 'repaired less'
  | 'not clean after the repair'
  | 'a known difference that is none'

/** A difference from the reference. */
export interface Difference {
  readonly reason: string
  readonly applies: (each: Case) => boolean
  /** All that may differ, of which something must. */
  readonly about: readonly Subject[]
}

/** Mutations of that name. */
function named(pattern: RegExp, more: (each: Case) => boolean = () => true): Difference['applies'] {
  return (each) => pattern.test(each.mutation.name) && more(each)
}

/** Images that are judged or mended otherwise on purpose. */
export const differences: readonly Difference[] = [
  {
    reason: 'a size past 2^63 is no size: the reference adds to it until it is a small one, and refuses it later',
    applies: named(/^virtual size 2\^64 - 1$/),
    about: ['checked: words', 'repaired: words'],
  },
  {
    reason: 'the reference rewrites the header of an image that it has not read the snapshots of, and loses them',
    applies: named(/^autoclear bits nobody knows$/, ({ base }) => base.with === 'snapshots'),
    about: ['repaired', 'repaired: words'],
  },
  {
    reason: 'the reference frees the wrong cluster when it frees one behind all that it can count',
    applies: named(/^snapshot table at 2\^(50|62)$/, ({ base }) => base.compat === '1.1'),
    about: ['repaired', 'repaired: words'],
  },
  {
    reason: 'the reference takes the bit for bitmaps that are nowhere as given, and cannot write to such an image',
    applies: named(/^header length of the whole cluster$/, ({ base }) => base.with === 'bitmaps'),
    about: ['repaired less'],
  },
  {
    reason:
      'the reference stores a bitmap whose bits are not in the file, as one without dirty bits, when it is closed',
    applies: (each) =>
      /^bitmap table (entry )?behind the file$/.test(each.mutation.name) ||
      (each.mutation.name === 'bitmap table entry at the end of the file' && each.base.maker === 'reference'),
    about: ['not clean after the repair'],
  },
]

/** How the verdict on that image differs; `undefined` where it must not. */
export function knownDifference(each: Case): Difference | undefined {
  return differences.find(({ applies }) => applies(each))
}
