/** What a planted bug is: a mistake in the order of things, made in a copy of the sources or in the file layer. */
import type { Recording } from '@blocklayer/block-core/testing'

/** A text of the qcow2 driver's sources that is replaced by another. It must stand there exactly once. */
export interface SourceChange {
  /** Path below `packages/driver-qcow2/src`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** One planted bug. */
export interface PlantedBug {
  /** What is wrong, in words. */
  readonly title: string
  /** What it is planted in: sources, or the file layer, which then loses or swaps what it was told. */
  readonly change: SourceChange | { readonly journal: (recording: Recording) => Recording }
  /** The operation that shows it: `makeEmpty/v3-512`. */
  readonly operation: string
  /** It is the reference's own order. */
  readonly ofReference?: boolean
}

/** A bug that consists in leaving a text out. */
export function without(file: string, find: string): SourceChange {
  return { file, find, replace: '' }
}
