/** The operations table: everything that changes metadata, each on every shape of image that it makes sense on. */
import { amendEntries } from './amend-operations.ts'
import { chainEntries } from './chain-operations.ts'
import { dataFileEntries } from './data-file-operations.ts'
import { guestEntries } from './guest-operations.ts'
import { imageEntries } from './image-operations.ts'
import { casesOf, type LabCase, type TableEntry } from './table.ts'

/** All entries. */
export const entries: readonly TableEntry[] = [
  ...guestEntries,
  ...dataFileEntries,
  ...imageEntries,
  ...amendEntries,
  ...chainEntries,
]

/** All cases, each an entry on one shape. */
export const cases: readonly LabCase[] = entries.flatMap((entry) => casesOf(entry))

/** Cases that `name` means: `discard/v2-512`, `discard`, or all that begin with it. */
export function casesNamed(name: string): readonly LabCase[] {
  const exact = cases.filter((one) => one.name === name || one.entry.name === name)
  return exact.length > 0 ? exact : cases.filter((one) => one.name.startsWith(name))
}

/** The case that `name` means where one is needed: exactly that, or the operation on default clusters, or the first. */
export function defaultCase(name: string): LabCase | undefined {
  const found = casesNamed(name)
  return found.find((one) => one.shape.name === 'v3-64k') ?? found[0]
}
