/** What the lab asks of a format: how its images are opened, and what is done to them. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import type { MemoryStore } from '../memory-driver.ts'
import { DiskRecorder } from './recorder.ts'
import type { GuestChange, Journal } from './journal.ts'
import { absentFact, type GuestView } from './guest-model.ts'

/** How an image is opened. */
export interface SubjectOpenOptions {
  readonly readOnly: boolean
  /** Only to be checked: whatever is wrong with it must not keep it from being opened. */
  readonly check: boolean
  /** Which of the images, where there are several; 0 is the guest's own, on top of the others. */
  readonly image: number
}

/** An open image. */
export interface OpenSubject {
  readonly disk: BlockBackend
  /** What was said about it, as a tool would print it. */
  readonly lines?: readonly string[]
  /** What must be old or new besides the content: see `GuestView`. The length is a fact without being told. */
  facts?(): Promise<Readonly<Record<string, string>>>
  /** Closes the image and all beneath it. @throws what closing met */
  close(): Promise<void>
}

/** One operation that changes images, with the images that it begins from. */
export interface CrashOperation<Subject extends OpenSubject = OpenSubject> {
  readonly name: string
  /** Names of the disks, the guest's image first. */
  readonly diskNames: readonly string[]
  /** Disks that hold images to be checked; default: all of them. */
  readonly imageCount?: number
  /** Disks that must show the guest's content themselves, from their first byte on, as a raw data file does; default: none. */
  readonly plainDisks?: readonly number[]
  /** `false`: nothing is flushed between the operation and the close. */
  readonly flushes?: boolean
  /** Whether one of the lines that a check prints is about a corruption that does no harm and that the format cannot avoid. */
  isHarmless?(line: string, all: readonly string[]): boolean
  /** Contents of the disks before the operation. Called once for each recording; the same every time. */
  prepare(): Promise<readonly Uint8Array[]>
  open(disks: readonly MemoryStore[], options: SubjectOpenOptions): Promise<Subject>
  /** The operation. Whatever it does to the guest's disk must go through `guest`. */
  run(image: Subject, guest: Guest): Promise<void>
}

/** The guest's end of an open image. */
export interface Guest {
  /** Writes, and leaves it to a later `flush` to make that durable. */
  write(offset: number, data: Uint8Array): Promise<void>
  writeZeroes(offset: number, bytes: number, flags?: { readonly mayUnmap?: boolean }): Promise<void>
  writeCompressed(offset: number, data: Uint8Array): Promise<void>
  flush(): Promise<void>
  /** Anything else: what the open image shows afterwards is the new content, and its facts the new facts. */
  act(act: () => Promise<void>): Promise<void>
}

/** Does what is asked, and keeps in the journal what may be seen from then on. */
export class RecordedGuest implements Guest {
  readonly #image: OpenSubject
  readonly #recorder: DiskRecorder
  readonly #look: () => Promise<GuestView>

  /** @param look - gives what the guest sees of the image; default: `viewOf` */
  constructor(image: OpenSubject, recorder: DiskRecorder, look: () => Promise<GuestView> = () => viewOf(image)) {
    this.#image = image
    this.#recorder = recorder
    this.#look = look
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    return this.#content(offset, data, () => this.#image.disk.write(offset, data))
  }

  writeZeroes(offset: number, bytes: number, flags: { readonly mayUnmap?: boolean } = {}): Promise<void> {
    return this.#content(offset, new Uint8Array(bytes), () => this.#image.disk.writeZeroes(offset, bytes, flags))
  }

  writeCompressed(offset: number, data: Uint8Array): Promise<void> {
    return this.#content(offset, data, () => this.#image.disk.writeCompressed(offset, data))
  }

  flush(): Promise<void> {
    return this.#recorder.flush(() => this.#image.disk.flush())
  }

  async act(act: () => Promise<void>): Promise<void> {
    const change: GuestChange = { offset: 0, data: new Uint8Array(0), facts: {} }
    await this.#recorder.change(change, async () => {
      const before = await this.#look()
      await act()
      const after = await this.#look()
      // Only what differs is new: elsewhere earlier writes may still be on their way.
      const { start, end } = differing(before.content, after.content)
      const gone = Object.keys(before.facts).filter((name) => after.facts[name] === undefined)
      const facts = { ...after.facts, ...Object.fromEntries(gone.map((name) => [name, absentFact])) }
      Object.assign(change, { offset: start, data: after.content.slice(start, end), facts })
    })
  }

  #content(offset: number, data: Uint8Array, act: () => Promise<void>): Promise<void> {
    return this.#recorder.change({ offset, data: data.slice(), facts: {} }, act)
  }
}

/** The first and the last sector in which two contents differ, as a range of the second. */
function differing(before: Uint8Array, after: Uint8Array): { readonly start: number; readonly end: number } {
  let start = 0
  while (start < after.length && before[start] === after[start]) start++
  let end = after.length
  while (end > start && (end > before.length ? after[end - 1] === 0 : before[end - 1] === after[end - 1])) end--
  return { start: start - (start % 512), end: Math.min(after.length, end + ((512 - (end % 512)) % 512)) }
}

/** Closes the image. @returns whether it had nothing to say: closing tells what it could not store, and goes on */
export async function closeOf(image: OpenSubject): Promise<boolean> {
  const said = image.lines?.length ?? 0
  await image.close()
  return (image.lines?.length ?? 0) === said
}

/** What a guest sees of an open image. */
export async function viewOf({ disk, facts }: OpenSubject): Promise<GuestView> {
  const content = new Uint8Array(disk.length)
  await disk.read(0, content)
  return { content, facts: { ...(await facts?.()), length: String(content.length) } }
}

/** An operation that was run once, with all that reached its disks. */
export interface Recording {
  readonly journal: Journal
  /** What the guest saw before it. */
  readonly before: GuestView
  /** What it saw when the operation and a flush had returned. */
  readonly after: GuestView
}

/** Runs the operation, flushes (unless told not to), and closes, with all that reaches the disks recorded. @throws what the operation does */
export async function recordOperation<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
): Promise<Recording> {
  const contents = await operation.prepare()
  const recorder = new DiskRecorder()
  const disks = contents.map((content, index) => recorder.disk(operation.diskNames[index] ?? `disk ${index}`, content))
  const image = await operation.open(disks, { readOnly: false, check: false, image: 0 })
  const before = await viewOf(image)
  const guest = new RecordedGuest(image, recorder)
  await operation.run(image, guest)
  if (operation.flushes !== false) await guest.flush()
  const after = await viewOf(image)
  recorder.note('close')
  await recorder.close(() => closeOf(image))
  return { journal: recorder.journal, before, after }
}
