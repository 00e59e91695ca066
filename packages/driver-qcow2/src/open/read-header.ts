/** The first cluster of an image that is being opened. */

import { BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'
import { headerBytesKnown } from '../format/constants.ts'
import { decodeHeader, type Header, withUnknownFields } from '../format/header.ts'

/** A header and what stands around it, as found. */
export interface FoundHeader {
  readonly header: Header
  /** The whole first cluster, zero padded where the file is shorter. */
  readonly cluster: Uint8Array
}

/**
 * Reads and decodes the header; what it says is judged elsewhere.
 *
 * @throws BlockError with the reference's message, or `Could not read qcow2 header: …`
 */
export async function readHeader(file: Child): Promise<FoundHeader> {
  const head = new Uint8Array(headerBytesKnown)
  await readPart(file, head)
  const header = decodeHeader(head)
  const cluster = new Uint8Array(2 ** header.clusterBits)
  await readPart(file, cluster)
  return { header: withUnknownFields(header, cluster), cluster }
}

async function readPart(file: Child, into: Uint8Array): Promise<void> {
  try {
    await file.read(0, into)
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Could not read qcow2 header', { cause: error })
  }
}
