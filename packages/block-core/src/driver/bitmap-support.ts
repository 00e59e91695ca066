/** What a format offers that keeps dirty bitmaps in its images. */

import type { DirtyBitmap } from '../dirty-bitmap/dirty-bitmap.ts'

/** The bitmaps of a node, for the driver that loads and stores those which its image keeps. */
export interface NodeBitmaps {
  /** In the order in which they were added; a job's own have no name. */
  list(): readonly DirtyBitmap[]
  /** @throws BlockError `EEXIST` `Bitmap already exists: …`, `EINVAL` for the granularity, `ENOMEM` */
  add(options: { readonly name: string; readonly granularity: number; readonly length: number }): DirtyBitmap
}

/** Persistent bitmaps, from the side of commands; loading and storing is the driver's own business at open and close. */
export interface BitmapSupport {
  /** False for an image of a kind that cannot keep any, whatever `checkNew` is asked. Default true. */
  readonly supported?: boolean
  /** @throws BlockError the reason alone; the core puts `Can't make bitmap '…' persistent in '…': ` before it */
  checkNew(name: string, granularity: number): Promise<void>
  /** Takes a bitmap out of the image; one that was never stored is no error. */
  remove(name: string): Promise<void>
}
