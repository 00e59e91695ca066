/** What a qcow2 image holds at an instant, in the words of its tables. */
import type { MemoryStore } from '@blocklayer/block-core/testing'

/** Where the tables of an image are. */
export interface Places {
  readonly clusterSize: number
  readonly l1: number
  readonly l1Clusters: number
  readonly refcountTable: number
  readonly length: number
}

/** Tables as the header tells; `undefined` where there is no header. */
export function placesOf(disk: MemoryStore): Places | undefined {
  const head = new Uint8Array(112)
  disk.read(0, head)
  const view = new DataView(head.buffer)
  if (view.getUint32(0) !== 0x514649fb) return undefined
  const clusterSize = 2 ** view.getUint32(20)
  return {
    clusterSize,
    l1: Number(view.getBigUint64(40)),
    l1Clusters: Math.max(1, Math.ceil((view.getUint32(36) * 8) / clusterSize)),
    refcountTable: Number(view.getBigUint64(48)),
    length: disk.length,
  }
}

/** The disk at an instant, an image compared with its tables' places in the beginning. */
export function describeImage(disk: MemoryStore, start: Places | undefined, what: 'image' | 'data file'): string {
  if (what === 'data file') return `data file, ${disk.length} bytes`
  const now = placesOf(disk)
  if (now === undefined || start === undefined) return 'no qcow2 header'
  const head = new Uint8Array(112)
  disk.read(0, head)
  const view = new DataView(head.buffer)
  const dirty = view.getUint32(4) >= 3 && view.getBigUint64(72) % 2n === 1n
  const moved = now.l1 !== start.l1 || now.refcountTable !== start.refcountTable
  const parts = [
    dirty ? 'dirty' : 'clean',
    isZero(disk, now.l1, now.l1Clusters * now.clusterSize) ? 'L1 zero' : 'L1 set',
    refcounts(disk, now),
    ...(moved ? ['tables moved'] : []),
    ...(now.length !== start.length ? [`${now.length} bytes`] : []),
  ]
  return parts.join(', ')
}

function refcounts(disk: MemoryStore, { refcountTable, clusterSize }: Places): string {
  const entry = new Uint8Array(8)
  disk.read(refcountTable, entry)
  const block = Number(new DataView(entry.buffer).getBigUint64(0))
  if (block === 0) return 'refcount table zero'
  return isZero(disk, block, clusterSize) ? 'refcount block zero' : 'refcounts set'
}

function isZero(disk: MemoryStore, offset: number, bytes: number): boolean {
  const content = new Uint8Array(bytes)
  disk.read(offset, content)
  return content.every((byte) => byte === 0)
}
