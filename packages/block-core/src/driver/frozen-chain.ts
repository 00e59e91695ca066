/** A piece of the backing chain that a filter keeps together, and where in it a range's content comes from. */

/** The links from a filter down to an image, frozen: nobody takes the chain apart there. */
export interface FrozenChain {
  /**
   * Which image of the piece has allocated the range that begins at `offset`: the first that the filter shows (`top`),
   * one further down to the last, that included (`below`), or none of them (`beyond`).
   *
   * @returns one run of the same answer; `bytes` is 0 only past the end
   */
  source(offset: number, bytes: number): Promise<{ readonly bytes: number; readonly source: ChainSource }>
  /** Lets the links go; nothing may be asked afterwards. */
  release(): void
}

/** See `FrozenChain.source`. */
export type ChainSource = 'top' | 'below' | 'beyond'
