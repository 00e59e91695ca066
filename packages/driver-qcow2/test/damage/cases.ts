/** The damaged images: every mutation of every base image that has what it needs. */

import { type Base, bases, partsOf } from './bases.ts'
import { featureMutations } from './feature-mutations.ts'
import { headerMutations } from './header-mutations.ts'
import { mappingMutations } from './mapping-mutations.ts'
import type { Mutation } from './mutation.ts'
import { refcountMutations } from './refcount-mutations.ts'

/** One damaged image. */
export interface Case {
  /** `<base>: <mutation>`, unique. */
  readonly name: string
  readonly base: Base
  readonly mutation: Mutation
}

/** All mutations. */
export const mutations: readonly Mutation[] = [
  ...headerMutations,
  ...mappingMutations,
  ...refcountMutations,
  ...featureMutations,
]

/** Every mutation of every base that it fits. */
export const allCases: readonly Case[] = mutations.flatMap((each) => basesFor(each).map((base) => caseOf(base, each)))

/** Images that have taken minutes, or all memory, or ended the process. */
const once: readonly string[] = [
  'v3-4k-one-bit: refcount table clusters 20',
  'v3-512-one-bit: refcount table 0',
  'v3-512: number of snapshots 65537',
]

/** Three mutations of four once, the bases taken in turn, and a few more: what every run of the tests does. */
export const someCases: readonly Case[] = [
  ...mutations.flatMap((each, index) => {
    const fitting = basesFor(each)
    return index % 4 === 3 ? [] : [caseOf(fitting[Math.floor(index / 3) % fitting.length]!, each)]
  }),
  ...once.map((name) => allCases.find((each) => each.name === name)!),
]

function basesFor({ needs }: Mutation): readonly Base[] {
  return bases.filter((base) => needs.every((part) => partsOf(base).has(part)))
}

function caseOf(base: Base, mutation: Mutation): Case {
  return { name: `${base.name}: ${mutation.name}`, base, mutation }
}
