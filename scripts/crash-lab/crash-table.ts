/** The crash table of an operation: what is on disk, what a guest reads, what check and repair say, before each request. */
import {
  type CheckFacts,
  disksBefore,
  entryText,
  GuestModel,
  type GuestView,
  type Inspection,
  isChange,
  judgeState,
  type Recording,
  type ScratchDisk,
} from '@blocklayer/block-core/testing'
import { describeImage, placesOf } from './describe.ts'
import type { LabCase } from './table.ts'

/** One instant: the process dies just before `request`. */
export interface CrashRow {
  /** Counts writes and flushes from 1; the last row, behind all of them, has one more. */
  readonly killedBefore: number
  /** What would have come: `zero 65536 @ 196608`, `flush`, `end`. */
  readonly request: string
  /** Name of the disk that it goes to. */
  readonly disk: string
  /** What is there, disk by disk. */
  readonly onDisk: readonly string[]
  /** Bytes that the top image itself holds for the guest. */
  readonly allocated: number
  /** `old`, `new`, or how many of the changed sectors are new; `same` where the operation changes nothing for the guest. */
  readonly guest: string
  /** What a check says that mends nothing. */
  readonly check: readonly string[]
  /** What the next writable open prints. */
  readonly repair: readonly string[]
  /** What a check says after it. */
  readonly after: readonly string[]
  /** What is wrong; empty where nothing is. */
  readonly problems: readonly string[]
}

/** All rows of a recording. */
export async function crashTable(one: LabCase, recording: Recording): Promise<CrashRow[]> {
  const { journal } = recording
  const model = new GuestModel(recording.before, journal.entries)
  const starts = journal.disks.map((_, index) => placesOf(disksBefore(journal, 0)[index]!))
  const rows: CrashRow[] = []
  for (let position = 0; position <= journal.entries.length; position++) {
    const entry = journal.entries[position]
    if (entry !== undefined && !isChange(entry) && entry.kind !== 'flush') continue
    const disks = disksBefore(journal, position)
    const imageCount = one.imageCount ?? disks.length
    const onDisk = disks.map((disk, index) =>
      describeImage(disk, starts[index], index < imageCount ? 'image' : 'data file'),
    )
    const allocated = await allocatedBytes(one, disks)
    const { problems, inspection } = await judgeState(one, model, { id: String(position), position, disks })
    rows.push({
      killedBefore: rows.length + 1,
      request: entry === undefined ? 'end' : entryText(entry),
      disk: entry === undefined ? '' : journal.disks[entry.disk]!.name,
      onDisk,
      allocated,
      guest: inspection === undefined ? 'unreadable' : guestText(inspection.readOnly, recording),
      ...checkTexts(inspection),
      problems,
    })
  }
  return rows
}

function checkTexts(inspection: Inspection | undefined): Pick<CrashRow, 'check' | 'repair' | 'after'> {
  const text = (checks: readonly CheckFacts[]): string[] =>
    checks.flatMap(({ corruptions, leaks, lines }) =>
      corruptions + leaks === 0 && lines.length === 0 ? ['no errors'] : [...lines],
    )
  if (inspection === undefined) return { check: [], repair: [], after: [] }
  return { check: text(inspection.before), repair: inspection.repairLines, after: text(inspection.after) }
}

async function allocatedBytes(one: LabCase, disks: readonly ScratchDisk[]): Promise<number> {
  const opened = await one.open(disks, { readOnly: true, check: false, image: 0 })
  try {
    let bytes = 0
    for (let offset = 0; offset < opened.disk.length; ) {
      const run = await opened.disk.isAllocated(offset, opened.disk.length - offset)
      if (run.allocated) bytes += run.bytes
      offset += run.bytes
    }
    return bytes
  } finally {
    await opened.close()
  }
}

const sector = 512

function guestText({ content }: GuestView, { before, after }: Recording): string {
  let [isNew, changed] = [0, 0]
  for (let at = 0; at < Math.max(before.content.length, after.content.length); at += sector) {
    const part = (bytes: Uint8Array): string => bytes.subarray(at, at + sector).join()
    if (part(before.content) === part(after.content)) continue
    changed++
    if (part(content) === part(after.content)) isNew++
  }
  if (changed === 0) return 'same'
  return isNew === 0 ? 'old' : isNew === changed ? 'new' : `${isNew} of ${changed} sectors new`
}

/** The rows as text, neighbours that differ in their request only drawn together. */
export function tableText(one: LabCase, rows: readonly CrashRow[]): string {
  const lines = [`${one.name}: ${one.entry.title}`, '']
  const facts = ({ killedBefore: _, request: __, disk: ___, ...rest }: CrashRow): string => JSON.stringify(rest)
  for (const [index, row] of rows.entries()) {
    lines.push(
      `${String(row.killedBefore).padStart(4)}  before ${row.request}${row.disk === '' ? '' : ` (${row.disk})`}`,
    )
    if (index + 1 < rows.length && facts(row) === facts(rows[index + 1]!)) continue
    lines.push(...rowText(row).map((line) => `        ${line}`))
  }
  return lines.join('\n')
}

function rowText(row: CrashRow): string[] {
  const few = (lines: readonly string[]): string =>
    lines.length <= 4 ? lines.join('; ') : `${lines.slice(0, 3).join('; ')}; and ${lines.length - 3} more`
  return [
    `on disk: ${row.onDisk.join(' | ')}; the guest has ${row.allocated} bytes of its own`,
    `guest: ${row.guest}`,
    `check: ${few(row.check)}`,
    `next open: ${row.repair.length === 0 ? 'nothing to say' : few(row.repair)}; then: ${few(row.after)}`,
    ...row.problems.map((problem) => `VIOLATION: ${problem}`),
  ]
}
