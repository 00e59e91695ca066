/** Judging what a header claims, before anything that it says is acted upon. */

import type { ClaimedName, ClaimedTable, HeaderClaims } from '@blocklayer/block-core'
import { printable } from '../printable.ts'
import type { InspectLimits, Reason, ReasonCode } from './verdict.ts'

/** What the claims are compared with. */
export interface ClaimedFile {
  /** Bytes. */
  readonly fileBytes: number
  readonly limits: InspectLimits
}

/** A table that is read is taken apart as well: what a driver makes of it takes several times its bytes. */
const heldShare = 4n

/** All that speaks against an image with such a header. */
export function judgeClaims(claims: HeaderClaims, { fileBytes, limits }: ClaimedFile): Reason[] {
  const reasons: Reason[] = claims.names.map(nameReason)
  const add = (code: ReasonCode, message: string): void => void reasons.push({ code, message })
  const { virtualSize, encryption, snapshots } = claims
  if (virtualSize > BigInt(limits.maxVirtualSize)) {
    add('virtual-size', `virtual size ${virtualSize} is more than ${limits.maxVirtualSize} bytes`)
  }
  if (encryption !== undefined) add('encrypted', `encrypted (${encryption}): what it holds cannot be judged`)
  for (const feature of claims.unknownFeatures) add('unknown-feature', `unknown feature: ${printable(feature)}`)
  if (snapshots > limits.maxSnapshots) add('snapshots', `${snapshots} snapshots, more than ${limits.maxSnapshots}`)
  for (const table of claims.tables) {
    if (table.offset + table.bytes > tableEnd(fileBytes)) add('outside-file', outsideText(table, fileBytes))
  }
  const held = claims.tables.reduce((sum, { held: isHeld, bytes }) => (isHeld ? sum + bytes : sum), 0n)
  const taken = held * heldShare + claims.memory
  if (taken > BigInt(limits.maxMemory)) {
    add('memory', `opening it takes up to ${taken} bytes of memory, more than ${limits.maxMemory}`)
  }
  for (const problem of claims.problems) add('invalid', printable(problem))
  return reasons
}

/** A table may end in a cluster that the file does not have to its end. */
function tableEnd(fileBytes: number): bigint {
  return BigInt(fileBytes) + 2n ** 21n
}

function outsideText({ name, offset, bytes }: ClaimedTable, fileBytes: number): string {
  return `${name} of ${bytes} bytes at ${offset} is outside the file of ${fileBytes} bytes`
}

const roles: Readonly<Record<ClaimedName['role'], { readonly code: ReasonCode; readonly words: string }>> = {
  backing: { code: 'backing-file', words: 'a backing file' },
  'data-file': { code: 'data-file', words: 'a data file' },
  extent: { code: 'extent', words: 'an extent' },
}

function nameReason({ role, filename }: ClaimedName): Reason {
  const { code, words } = roles[role]
  return { code, message: `names ${words}: '${printable(filename)}'` }
}
