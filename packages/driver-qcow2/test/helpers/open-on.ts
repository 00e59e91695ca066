/** Opens an image on a bare child, without a graph, for tests that look into the rooms. */

import { DirtyBitmap } from '@blocklayer/block-core'
import type { BackingReference, Child, OpenContext } from '@blocklayer/block-core/driver'
import { openImage, type OpenImage } from '../../src/open/open-image.ts'
import type { Qcow2Options } from '../../src/open/options.ts'

/** How `openOn` opens. */
export interface OpenOnOptions {
  readonly readOnly?: boolean
  readonly check?: boolean
  readonly unmap?: boolean
  readonly noIo?: boolean
  readonly backing?: Child
  /** The data file that the image names. */
  readonly data?: Child
  /** Told when the image's own file gets another role. */
  readonly onRole?: (role: number) => void
  readonly options?: Qcow2Options
}

/** An image, and what it told its context. */
export interface OpenedOn {
  readonly image: OpenImage
  /** Lines as a tool would print them, program name left out. */
  readonly lines: string[]
  readonly ejected: () => boolean
  /** What the image said about its backing file. */
  readonly reference: () => BackingReference | undefined
}

/** Opens the image in `child`. */
export async function openOn(child: Child, how: OpenOnOptions = {}): Promise<OpenedOn> {
  const lines: string[] = []
  const bitmaps: DirtyBitmap[] = []
  let ejected = false
  let reference: BackingReference | undefined
  const context: OpenContext = {
    readOnly: how.readOnly ?? false,
    filename: 'memory',
    nodeName: 'image',
    flags: {
      check: how.check ?? false,
      noIo: how.noIo ?? false,
      unmap: how.unmap ?? false,
      direct: false,
      noFlush: false,
      forceShare: false,
      probed: false,
      allowReadWrite: true,
      autoReadOnly: false,
    },
    signal: undefined,
    attach: async () => child,
    attachNamed: async () => child,
    attachRecorded: async () => {
      if (how.data === undefined) throw new Error('no data file was expected')
      return how.data
    },
    changeRole: (_name, role) => how.onRole?.(role),
    attachBacking: async (recorded) => {
      reference = recorded
      return how.backing
    },
    bitmaps: {
      list: () => bitmaps,
      add: (options) => {
        const bitmap = new DirtyBitmap(options)
        bitmaps.push(bitmap)
        return bitmap
      },
    },
    degradeToReadOnly: () => {},
    permissionsChanged: () => {},
    findNode: () => undefined,
    freezeChain: () => {
      throw new Error('without a graph there is no chain')
    },
    warn: (message) => void lines.push(`warning: ${message}`),
    reportError: (message) => void lines.push(`error: ${message}`),
    report: (line) => void lines.push(line),
    eject: () => {
      ejected = true
    },
  }
  const image = await openImage(context, how.options ?? {})
  return { image, lines, ejected: () => ejected, reference: () => reference }
}

/** The error that `attempt` ends with, as `<code> <message>`; fails if it does not throw. */
export async function failureOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt()
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code ?? 'no code'} ${message}`
  }
  throw new Error('it did not fail')
}
