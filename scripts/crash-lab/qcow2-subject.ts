/** qcow2 images in the crash lab: how they are made, opened and described. */
import {
  type BlockBackend,
  type BlockGraph,
  createBlockGraph,
  type Diagnostic,
  showSnapshot,
  snapshotsOf,
} from '@blocklayer/block-core'
import { type MemoryStore, memory, type OpenSubject, type SubjectOpenOptions } from '@blocklayer/block-core/testing'
import { qcow2, type Qcow2Options, qcow2Driver } from '@blocklayer/driver-qcow2'

/** An open chain, with its graph for operations that need more than the disk. */
export interface Qcow2Subject extends OpenSubject {
  readonly graph: BlockGraph
  /** Stores of all disks, the guest's image first. */
  readonly disks: readonly MemoryStore[]
}

/** Which node is opened on a store; a test may give one with another driver. */
export type ImageNode = typeof qcow2

/** How the chain is opened, besides what the lab says. */
export interface Qcow2SubjectOptions {
  readonly qcow2?: Qcow2Options
  /** Facts besides the length; see `factsOf`. */
  readonly facts?: (subject: Qcow2Subject, options: SubjectOpenOptions) => Promise<Readonly<Record<string, string>>>
  /** Makes the image's node; default: ours. */
  readonly node?: ImageNode
}

/** Opens disk `options.image` of a chain, in which each disk is the backing file of the one before it. */
export async function openChain(
  disks: readonly MemoryStore[],
  { readOnly, check, image }: SubjectOpenOptions,
  how: Qcow2SubjectOptions = {},
): Promise<Qcow2Subject> {
  const lines: string[] = []
  const onDiagnostic = ({ kind, text }: Diagnostic): void => {
    lines.push(kind === 'line' ? text : `${kind}: ${text}`)
  }
  const graph = createBlockGraph({ drivers: [qcow2Driver], implicitOpen: 'deny', onDiagnostic })
  const node = how.node ?? qcow2
  const nodeOver = (index: number): ReturnType<ImageNode> => {
    const store = disks[index]!
    const backing = index + 1 < disks.length ? nodeOver(index + 1) : null
    return node({ ...how.qcow2, file: memory(store), backing })
  }
  let disk: BlockBackend
  try {
    disk = await graph.open(nodeOver(image), { readOnly, check, unmap: true })
  } catch (error) {
    await graph.close()
    throw error
  }
  const subject: Qcow2Subject = {
    disk,
    graph,
    disks,
    lines,
    close: () => graph.close(),
    ...(how.facts === undefined || image > 0 ? {} : { facts: () => how.facts!(subject, { readOnly, check, image }) }),
  }
  return subject
}

/** Snapshots and what they show, in the image's own order. */
export async function snapshotFacts(
  { disk, disks }: Qcow2Subject,
  how: Omit<Qcow2SubjectOptions, 'facts'>,
): Promise<Readonly<Record<string, string>>> {
  const facts: Record<string, string> = {}
  for (const { id, name } of snapshotsOf(disk)) {
    const view = await openChain(disks, { readOnly: true, check: true, image: 0 }, how)
    try {
      await showSnapshot(view.disk, id)
      const content = new Uint8Array(view.disk.length)
      await view.disk.read(0, content)
      facts[`snapshot ${name}`] = contentName(content)
    } finally {
      await view.close()
    }
  }
  return facts
}

/** A short name for content: equal for equal bytes. */
function contentName(content: Uint8Array): string {
  let sum = 0x811c9dc5
  for (const byte of content) sum = Math.imul(sum ^ byte, 0x01000193)
  return `${content.length} bytes #${(sum >>> 0).toString(16)}`
}
