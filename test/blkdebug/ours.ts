// What our blkdebug does with a case, in the words of the reference's qemu-io.
import { type BlockBackend, BlockError, createBlockGraph } from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import type { Request } from './case.ts'

/** Opens `name` and sends it the requests: `ok` or the errno text for each, or the message with which it did not open. */
export async function ourOutcome(name: string, requests: readonly Request[]): Promise<string | string[]> {
  const drivers = [fileDriver, rawDriver, qcow2Driver, blkdebugDriver]
  const graph = createBlockGraph({ drivers, implicitOpen: 'allow', onDiagnostic: () => undefined })
  try {
    const disk = await graph.open(name, { unmap: true })
    const outcomes: string[] = []
    for (const request of requests) outcomes.push(await textOf(send(disk, request)))
    return outcomes
  } catch (error) {
    if (error instanceof BlockError)
      return [error.message, ...(error.hint === undefined ? [] : [error.hint])].join('\n')
    throw error
  } finally {
    // A rule may fail the last flush, which the tool that the outcome is compared with keeps to itself.
    await textOf(graph.close())
  }
}

function send(disk: BlockBackend, { kind, offset, bytes }: Request): Promise<unknown> {
  if (kind === 'read') return disk.read(offset, new Uint8Array(bytes))
  if (kind === 'zero') return disk.writeZeroes(offset, bytes, { mayUnmap: true })
  if (kind === 'discard') return disk.discard(offset, bytes)
  if (kind === 'compressed') return disk.writeCompressed(offset, new Uint8Array(bytes).fill(0xcd))
  if (kind === 'status') return disk.blockStatus(offset, bytes)
  return disk.write(offset, new Uint8Array(bytes).fill(0xcd), { fua: kind === 'fua' })
}

async function textOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'ok'
  } catch (error) {
    if (error instanceof BlockError) return error.errnoText
    throw error
  }
}
