/** What a format offers that keeps dirty bitmaps in its images. */

/** Persistent bitmaps, from the side of commands; loading and storing is the driver's own business at open and close. */
export interface BitmapSupport {
  /** @throws BlockError the reason alone; the core puts `Can't make bitmap '…' persistent in '…': ` before it */
  checkNew(name: string, granularity: number): Promise<void>
  /** Takes a bitmap out of the image; one that was never stored is no error. */
  remove(name: string): Promise<void>
}
