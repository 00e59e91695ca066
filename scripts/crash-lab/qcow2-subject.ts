/** qcow2 images in the crash lab: how they are made, opened and described. */
import {
  type BlockBackend,
  type BlockGraph,
  createBlockGraph,
  type Diagnostic,
  dirtyBitmapFacts,
  dirtyBitmapOf,
  showSnapshot,
  snapshotsOf,
} from '@blocklayer/block-core'
import {
  type MemoryStore,
  memory,
  type OpenSubject,
  type SubjectOpenOptions,
  unknownFact,
} from '@blocklayer/block-core/testing'
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
  /** Which disks make the guest's chain, from the top down; default: all of them. */
  readonly chain?: (disks: readonly MemoryStore[]) => readonly number[]
  /** Which disk holds the guest's data of the first one; default: none, the data is in the image. */
  readonly dataDisk?: number
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
  const { dataDisk } = how
  const chain = how.chain?.(disks) ?? disks.map((_, index) => index).filter((index) => index !== dataDisk)
  const nodeOver = (index: number): ReturnType<ImageNode> => {
    const below = chain[chain.indexOf(index) + 1]
    const backing = below === undefined || !chain.includes(index) ? null : nodeOver(below)
    const dataFile = index > 0 || dataDisk === undefined ? {} : { dataFile: memory(disks[dataDisk]!) }
    return node({ ...how.qcow2, file: memory(disks[index]!), ...dataFile, backing })
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

/** What the header says: version, feature bits, refcount width, the backing file's name and format. */
export async function headerFacts({ disks }: Qcow2Subject): Promise<Readonly<Record<string, string>>> {
  const bytes = disks[0]!.bytes()
  const view = new DataView(bytes.buffer)
  const version = view.getUint32(4)
  const nameAt = Number(view.getBigUint64(8))
  const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + view.getUint32(16)))
  return {
    version: String(version),
    backing: nameAt === 0 ? 'none' : name,
    'backing format': extensionText(bytes, backingFormatTag),
    'data file': extensionText(bytes, dataFileTag),
    'compatible features': version < 3 ? '0' : String(view.getBigUint64(80)),
    'raw data file': version < 3 ? '0' : String((view.getBigUint64(88) >> 1n) & 1n),
    'refcount bits': version < 3 ? '16' : String(2 ** view.getUint32(96)),
  }
}

/** Tags of the header extensions that name the backing file's format, the file with the data, and the bitmaps. */
const [backingFormatTag, dataFileTag, bitmapsTag] = [0xe2792aca, 0x44415441, 0x23852875]

function extensionOf(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer)
  let at = view.getUint32(4) < 3 ? 72 : view.getUint32(100)
  while (at + 8 <= bytes.length && view.getUint32(at) !== 0) {
    const [tag, length] = [view.getUint32(at), view.getUint32(at + 4)]
    if (tag === wanted) return bytes.slice(at + 8, at + 8 + length)
    at += 8 + 8 * Math.ceil(length / 8)
  }
  return undefined
}

function extensionText(bytes: Uint8Array, tag: number): string {
  const found = extensionOf(bytes, tag)
  return found === undefined ? 'none' : new TextDecoder().decode(found)
}

/**
 * Bits of the bitmaps. One that says itself that it is not to be trusted has no value: whoever wants it must begin anew.
 * So does each of an image without the feature bit that vouches for all of them.
 */
export function bitmapFacts({ disk, disks }: Qcow2Subject): Readonly<Record<string, string>> {
  const names = bitmapNames(disks[0]!.bytes())
  const facts: Record<string, string> = Object.fromEntries(names.map((name) => [`bitmap ${name}`, unknownFact]))
  for (const { name, inconsistent } of dirtyBitmapFacts(disk.root)) {
    if (name === undefined) continue
    const areas = [...dirtyBitmapOf(disk.root, name).dirtyAreas()].map(({ offset, bytes }) => `${offset}+${bytes}`)
    facts[`bitmap ${name}`] = inconsistent === true ? unknownFact : areas.join(' ')
  }
  return facts
}

/** Names in the directory of an image whose bitmaps nothing vouches for; none where something does. */
function bitmapNames(image: Uint8Array): string[] {
  const place = extensionOf(image, bitmapsTag)
  const vouched = new DataView(image.buffer).getBigUint64(88) & 1n
  if (place === undefined || vouched === 1n) return []
  const view = new DataView(place.buffer)
  const [count, bytes, offset] = [view.getUint32(0), Number(view.getBigUint64(8)), Number(view.getBigUint64(16))]
  const directory = image.slice(offset, offset + bytes)
  const entry = new DataView(directory.buffer)
  const names: string[] = []
  for (let at = 0; names.length < count; ) {
    const [nameBytes, extraBytes] = [entry.getUint16(at + 18), entry.getUint32(at + 20)]
    names.push(new TextDecoder().decode(directory.subarray(at + 24 + extraBytes, at + 24 + extraBytes + nameBytes)))
    at += 8 * Math.ceil((24 + extraBytes + nameBytes) / 8)
  }
  return names
}

/**
 * Whether the line is about a COPIED flag that disagrees with its count and does no harm: it is not set though the cluster
 * has one owner (the next write copies the cluster for nothing), or it is set and the count is too high (a leak, which the
 * check names as well: nobody else owns the cluster). Version 2 has no mark that would lead to a repair, so that a cut
 * between the flag and the count leaves one or the other.
 */
export function isHarmlessInVersion2(line: string, all: readonly string[], clusterSize: number): boolean {
  const found =
    /^ERROR OFLAG_COPIED (?:data|L2) cluster: (?:l1_index=\d+ )?l[12]_entry=([0-9a-f]+) refcount=(\d+)$/.exec(line)
  if (found === null) return false
  const entry = BigInt(`0x${found[1]}`)
  if (entry >> 63n === 0n) return found[2] === '1'
  const cluster = Number(entry & 0x00ff_ffff_ffff_fe00n) / clusterSize
  return all.includes(`Leaked cluster ${cluster} refcount=${found[2]} reference=1`)
}

/** Snapshots and what they show, in the image's own order. */
export async function snapshotFacts(
  { disk, disks }: Qcow2Subject,
  how: Omit<Qcow2SubjectOptions, 'facts'>,
): Promise<Readonly<Record<string, string>>> {
  const facts: Record<string, string> = {}
  for (const { id, name } of snapshotsOf(disk)) {
    const view = await openChain(disks, { readOnly: true, check: false, image: 0 }, how)
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
