/** Inspecting an image of a stranger: one verdict, with nothing opened but the file itself. */

import {
  type AnyDriver,
  BlockError,
  type BlockBackend,
  type BlockGraph,
  claimBytesMax,
  createBlockGraph,
  type HeaderClaims,
  layoutOf,
  type NodeSpec,
} from '@blocklayer/block-core'
import { judgeClaims } from './judge-claims.ts'
import { type Deadline, judgeLayout } from './judge-layout.ts'
import { type Looks, looksLike, signatureTailBytes } from './signatures.ts'
import { type InspectLimits, inspectLimitsDefault, type Reason, type Verdict } from './verdict.ts'

/** What is inspected, and how. */
export interface Inspection {
  /** The file, described in code: no name is taken apart, no prefix and no `json:` means anything. */
  readonly file: NodeSpec
  /** The format it is said to have; absent: what it looks like, and raw where it looks like none. */
  readonly format?: string | undefined
  /** Formats that may be judged; only those with `claims` are. */
  readonly formats: readonly AnyDriver[]
  readonly limits?: Partial<InspectLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Judges an image without believing it: first what it looks like, then what its header claims, and only if nothing speaks
 * against that, what its tables make of the file. No file that it names is ever opened.
 *
 * @example
 * const verdict = await inspectImage({ file: file('disk.qcow2'), formats: [rawDriver, qcow2Driver] })
 * if (verdict.verdict === 'refused') console.log(verdict.reasons)
 *
 * @throws BlockError where the file itself cannot be opened or read: that says nothing about the image;
 *   `signal.reason`
 */
export async function inspectImage({ file, format, formats, limits: given, signal }: Inspection): Promise<Verdict> {
  const limits = { ...inspectLimitsDefault, ...given }
  const end = performance.now() + limits.timeout * 1000
  const deadline: Deadline = { isOver: () => signal?.aborted === true || performance.now() > end }
  await using graph = createBlockGraph({ drivers: formats, implicitOpen: 'deny' })
  const bytes = await graph.open(file, { readOnly: true })
  const fileSize = bytes.length
  const head = new Uint8Array(Math.min(fileSize, claimBytesMax))
  await bytes.read(0, head)
  const tail = new Uint8Array(Math.min(fileSize, signatureTailBytes))
  await bytes.read(fileSize - tail.length, tail)
  const chosen = chooseFormat({ head, looks: looksLike(head, tail), format, formats })
  const refused = (reasons: readonly Reason[], virtualSize?: bigint): Verdict => ({
    verdict: reasons.length === 0 ? 'acceptable' : 'refused',
    format: 'driver' in chosen ? chosen.driver.formatName : undefined,
    virtualSize,
    fileSize,
    reasons,
  })
  if ('reason' in chosen) return refused([chosen.reason])
  const read = (fetched?: Uint8Array): HeaderClaims | Reason => settle(() => chosen.claims(head, fileSize, fetched))
  let claims = read()
  if ('code' in claims) return refused([claims])
  let reasons = judgeClaims(claims, { fileBytes: fileSize, limits })
  if (reasons.length === 0 && claims.fetch !== undefined) {
    // What is fetched is one of the tables, and so has been judged: it is no longer than memory allows.
    const fetched = new Uint8Array(claims.fetch.bytes)
    await readPadded(bytes, claims.fetch.offset, fetched)
    claims = read(fetched)
    if ('code' in claims) return refused([claims])
    reasons = judgeClaims(claims, { fileBytes: fileSize, limits })
  }
  await bytes.close()
  if (reasons.length > 0) return refused(reasons, claims.virtualSize)
  const found = await judgeOpened(graph, { driver: chosen.driver, file, limits, deadline })
  signal?.throwIfAborted()
  return refused(found, claims.virtualSize)
}

interface Candidates {
  readonly head: Uint8Array
  readonly looks: Looks
  readonly format: string | undefined
  readonly formats: readonly AnyDriver[]
}

interface Chosen {
  readonly driver: AnyDriver
  readonly claims: NonNullable<AnyDriver['claims']>
}

type Choice = Chosen | { readonly reason: Reason }

/** One format that everybody will agree on, or a reason why there is none. */
function chooseFormat({ head, looks, format, formats }: Candidates): Choice {
  const probed = formats.filter((driver) => (driver.probe?.(head.subarray(0, 512), undefined) ?? 0) > 1)
  const images = [...new Set([...looks.images, ...probed.map(({ formatName }) => formatName)])]
  const seen = images.length > 0 ? [...images, ...looks.contents] : []
  if (seen.length > 1) return ambiguous(`looks like ${seen.join(' and ')} at once`)
  const found = images[0] ?? 'raw'
  if (format !== undefined && format !== found) return ambiguous(`is said to be ${format}, but looks like ${found}`)
  const driver = formats.find(({ formatName }) => formatName === found)
  if (driver?.claims !== undefined) return { driver, claims: driver.claims }
  return { reason: { code: 'unsupported-format', message: `images of format ${found} cannot be judged` } }
}

function ambiguous(message: string): Choice {
  return { reason: { code: 'ambiguous-format', message } }
}

function settle(claims: () => HeaderClaims): HeaderClaims | Reason {
  try {
    return claims()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return { code: 'invalid', message: error.message }
  }
}

/** Reads what the file has of a range; the rest is zeroes. */
async function readPadded(bytes: BlockBackend, offset: number, into: Uint8Array): Promise<void> {
  const there = Math.max(0, Math.min(into.length, bytes.length - offset))
  if (there > 0) await bytes.read(offset, into.subarray(0, there))
}

interface Opening {
  readonly driver: AnyDriver
  readonly file: NodeSpec
  readonly limits: InspectLimits
  readonly deadline: Deadline
}

async function judgeOpened(graph: BlockGraph, { driver, file, limits, deadline }: Opening): Promise<Reason[]> {
  let disk: BlockBackend
  try {
    const options = { readOnly: true, noBacking: true, backing: null, format: driver.formatName }
    disk = await graph.open({ driver, options: { file } }, options)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return [{ code: 'invalid', message: error.message }]
  }
  const reasons: Reason[] = []
  if (disk.info.specific?.data.corrupt === true) reasons.push({ code: 'corrupt', message: 'is marked as corrupt' })
  const layout = layoutOf(disk.root)
  if (layout !== undefined) reasons.push(...(await judgeLayout(layout, limits, deadline)))
  await disk.close()
  return reasons
}
