/** Looks at one state of an operation's disks as whoever comes next would: opens, checks, reads, repairs. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import type { CheckResult } from '../../driver/block-layer.ts'
import { BlockError } from '../../errors.ts'
import { type GuestModel, type GuestView, unknownFact } from './guest-model.ts'
import type { ScratchDisk } from './scratch-disk.ts'
import { type CrashOperation, type OpenSubject, viewOf } from './subject.ts'

/** What a check of one image said. */
export interface CheckFacts {
  /** Without the harmless ones. */
  readonly corruptions: number
  /** Those that `CrashOperation.isHarmless` spares. */
  readonly harmless: number
  readonly leaks: number
  readonly checkErrors: number
  /** Lines that it printed. */
  readonly lines: readonly string[]
}

/** What was found in a state. */
export interface Inspection {
  /** Through a read-only open: nothing is repaired. */
  readonly readOnly: GuestView
  /** Through a writable open, which repairs what asks for it. */
  readonly writable: GuestView
  /** What the disks show that hold the guest's content as it is (`CrashOperation.plainDisks`). */
  readonly plain: readonly { readonly disk: number; readonly content: Uint8Array }[]
  /** Images that were marked as not cleanly shut down. */
  readonly dirty: readonly boolean[]
  /** Checks before the writable open, and after it. */
  readonly before: readonly CheckFacts[]
  readonly after: readonly CheckFacts[]
  /** What the writable open printed. */
  readonly repairLines: readonly string[]
}

/** Everything that is seen in the state. @throws what opening, reading or checking it meets */
export async function inspectState<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  disks: readonly ScratchDisk[],
): Promise<Inspection> {
  const imageCount = operation.imageCount ?? disks.length
  const dirty: boolean[] = []
  const before = await checkAll(operation, disks, imageCount, (disk) => void dirty.push(disk.info.dirty ?? false))
  const readOnly = await closing(await operation.open(disks, { readOnly: true, check: false, image: 0 }), viewOf)
  const plain = (operation.plainDisks ?? []).map((disk) => ({ disk, content: disks[disk]!.bytes() }))
  const repairLines: string[] = []
  const changes = changeCount(disks)
  let writable = readOnly
  // From the bottom up, as whoever opens a chain does: an image is read through those beneath it.
  for (let image = imageCount - 1; image >= 0; image--) {
    await closing(await operation.open(disks, { readOnly: false, check: false, image }), async (opened) => {
      repairLines.push(...(opened.lines ?? []))
      // Without a change it would show what was seen already.
      if (image === 0 && changeCount(disks) !== changes) writable = await viewOf(opened)
    })
  }
  // An open that has written nothing leaves what was checked before.
  const after = changeCount(disks) === changes ? before : await checkAll(operation, disks, imageCount)
  return { readOnly, writable, plain, dirty, before, after, repairLines }
}

async function closing<Subject extends OpenSubject, Result>(
  opened: Subject,
  act: (opened: Subject) => Promise<Result>,
): Promise<Result> {
  try {
    return await act(opened)
  } finally {
    await opened.close()
  }
}

function changeCount(disks: readonly ScratchDisk[]): number {
  return disks.reduce((sum, disk) => sum + disk.changes, 0)
}

async function checkAll<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  disks: readonly ScratchDisk[],
  imageCount: number,
  look: (disk: BlockBackend) => void = () => undefined,
): Promise<CheckFacts[]> {
  const found: CheckFacts[] = []
  for (let image = 0; image < imageCount; image++) {
    const opened = await operation.open(disks, { readOnly: true, check: true, image })
    await closing(opened, async () => {
      look(opened.disk)
      found.push(await checkOf(opened, (line, all) => operation.isHarmless?.(line, all) ?? false))
    })
  }
  return found
}

async function checkOf(
  { disk, lines }: OpenSubject,
  isHarmless: (line: string, all: readonly string[]) => boolean,
): Promise<CheckFacts> {
  const said = lines?.length ?? 0
  const { corruptions, leaks, checkErrors } = await checkIfPossible(disk)
  const printed = [...(lines ?? [])].slice(said)
  const harmless = printed.filter((line) => isHarmless(line, printed)).length
  return { corruptions: Math.max(0, corruptions - harmless), harmless, leaks, checkErrors, lines: printed }
}

/** A format without a check is judged by what the guest sees alone. */
async function checkIfPossible(
  disk: BlockBackend,
): Promise<Pick<CheckResult, 'corruptions' | 'leaks' | 'checkErrors'>> {
  try {
    return await disk.check()
  } catch (error) {
    if (error instanceof BlockError && error.code === 'ENOTSUP') return { corruptions: 0, leaks: 0, checkErrors: 0 }
    throw error
  }
}

/** All that is wrong in a state after a cut at `position`, in words; empty where nothing is. */
export function stateProblems(inspection: Inspection, model: GuestModel, position: number): string[] {
  const { readOnly, writable, plain } = inspection
  const problems = model.problems(readOnly, position)
  // A writable open that has changed nothing shows the same view.
  const later = writable === readOnly ? problems : model.problems(keptUnknown(readOnly, writable), position)
  return [
    ...imageProblems(inspection),
    ...problems,
    ...later.map((problem) => `after a writable open: ${problem}`),
    ...plain.flatMap(({ disk, content }) =>
      model.contentProblems(content, position).map((problem) => `disk ${disk} alone: ${problem}`),
    ),
  ]
}

/** What was not to be trusted before may be gone after a writable open, which cleans up. */
function keptUnknown(before: GuestView, after: GuestView): GuestView {
  const dropped = Object.entries(before.facts).filter(
    ([name, value]) => value === unknownFact && after.facts[name] === undefined,
  )
  return { ...after, facts: { ...after.facts, ...Object.fromEntries(dropped) } }
}

/** What is wrong with the images themselves, in words. A leak is not; nor is anything before the repair of a dirty one. */
export function imageProblems({ dirty, before, after }: Inspection): string[] {
  const problems: string[] = []
  const judge = (checks: readonly CheckFacts[], when: string, spare: (image: number) => boolean): void => {
    for (const [image, { corruptions, checkErrors, lines }] of checks.entries()) {
      if (spare(image) || corruptions + checkErrors === 0) continue
      const said = lines.length === 0 ? '' : `: ${lines[0]}`
      problems.push(`image ${image} ${when}: ${corruptions} corruptions, ${checkErrors} check errors${said}`)
    }
  }
  judge(before, 'before a writable open', (image) => dirty[image] === true)
  judge(after, 'after a writable open', () => false)
  return problems
}
