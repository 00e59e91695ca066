/** What a quorum tells its owner: a copy that went wrong, and a vote that nobody won. */

import type { BlockError } from '@blocklayer/block-core/driver'

/** A range as the events give it: in sectors of 512 bytes, widened to whole ones; both 0 for a flush. */
export interface EventRange {
  readonly sectorNumber: number
  readonly sectorCount: number
}

/** One copy failed, or was outvoted. @see QEMU 7.2 qapi/block.json: QUORUM_REPORT_BAD */
export interface QuorumReportBad extends EventRange {
  readonly event: 'QUORUM_REPORT_BAD'
  readonly type: 'read' | 'write' | 'flush'
  /** Why it failed, in the words of the error code; `undefined`: it was outvoted. */
  readonly error: string | undefined
  /** The copy. */
  readonly nodeName: string
}

/** Too few copies worked, or agreed. @see QEMU 7.2 qapi/block.json: QUORUM_FAILURE */
export interface QuorumFailure extends EventRange {
  readonly event: 'QUORUM_FAILURE'
  /** The quorum itself. */
  readonly reference: string
}

/** What the owner may listen to. Every single one comes; QEMU's monitor shows at most one of a kind per second. */
export type QuorumEvent = QuorumReportBad | QuorumFailure

/** A request to all copies. */
export interface QuorumRequest {
  readonly type: 'read' | 'write' | 'flush'
  /** Bytes, like `bytes`. */
  readonly offset: number
  readonly bytes: number
}

const sectorSize = 512

/** The event about a copy that went wrong. */
export function reportBad(request: QuorumRequest, nodeName: string, error: BlockError | undefined): QuorumReportBad {
  return { event: 'QUORUM_REPORT_BAD', type: request.type, error: error?.errnoText, nodeName, ...sectors(request) }
}

/** The event about a request that failed as a whole. */
export function quorumFailure(request: QuorumRequest, reference: string): QuorumFailure {
  return { event: 'QUORUM_FAILURE', reference, ...sectors(request) }
}

function sectors({ offset, bytes }: QuorumRequest): EventRange {
  const sectorNumber = Math.floor(offset / sectorSize)
  return { sectorNumber, sectorCount: Math.ceil((offset + bytes) / sectorSize) - sectorNumber }
}
