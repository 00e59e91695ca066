/** The driver value: names, options, probing and opening. */

import {
  type BlockDriver,
  BlockError,
  type BlockLayer,
  ChildRoles,
  type ChildSpec,
  defineDriver,
} from '@blocklayer/block-core/driver'
import { BlockMap } from './block-map.ts'
import { decodeHeader, hasVdiSignature, headerBytes } from './header.ts'

/** Options of a `vdi` node. */
export interface VdiOptions {
  /** The file that holds the image. */
  readonly file: ChildSpec
}

/** VirtualBox disk images, dynamic and static, read-only. */
export const vdiDriver: BlockDriver<VdiOptions, never> = defineDriver<VdiOptions>({
  formatName: 'vdi',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', required: true, help: 'the file that holds the image' } },
  probe: (head) => (hasVdiSignature(head) ? 100 : 0),
  async open(context, options): Promise<BlockLayer> {
    const file = await context.attach('file', ChildRoles.image, options.file)
    if (!context.readOnly) throw new BlockError('EROFS', 'This vdi driver can only read; open the image read-only')
    const head = new Uint8Array(headerBytes)
    await file.read(0, head)
    const header = decodeHeader(head)
    const mapBytes = 4 * header.blockCount
    // The file's length bounds the memory that a forged header can ask for.
    if (header.mapOffset + mapBytes > file.length) throw new BlockError('EINVAL', 'VDI block map is cut off')
    const stored = new Uint8Array(mapBytes)
    await file.read(header.mapOffset, stored)
    const map = new BlockMap(header, stored, file.length)

    return {
      length: header.diskBytes,
      async read(offset, into) {
        for (let done = 0; done < into.length; ) {
          const run = map.runAt(offset + done, into.length - done)
          const part = into.subarray(done, done + run.bytes)
          if (run.fileOffset === undefined) part.fill(0)
          else await file.read(run.fileOffset, part)
          done += run.bytes
        }
      },
      mapping: {
        async blockStatus(offset, bytes) {
          const run = map.runAt(offset, bytes)
          const data = run.fileOffset !== undefined
          // A static image has every block: only the file knows which of them are holes.
          return { bytes: run.bytes, data, zero: !data, hostOffset: run.fileOffset, recurse: true }
        },
      },
      info: () => ({ clusterSize: header.blockBytes, dirty: false }),
      close: async () => {},
    }
  },
})
