/** A node of the graph as everybody may see it; how it works inside stays with the core. */

/** `protocol`: bytes from outside the graph. `format`: an image in a child. `filter`: shows its child's data unchanged. */
export type DriverKind = 'protocol' | 'format' | 'filter'

/** What an image records about its backing file, verbatim. */
export interface BackingReference {
  readonly filename: string
  readonly format: string | undefined
}

/** An open node. Node names are unique in a graph. */
export interface BlockNode {
  readonly nodeName: string
  readonly driverName: string
  readonly driverKind: DriverKind
  /** Plain name that reopens the node, or `json:{…}` where no plain name can. */
  readonly filename: string
  readonly readOnly: boolean
  /** Guest bytes, a multiple of 512. */
  readonly length: number
  /** Every child by its name, in the order of attachment. */
  readonly children: ReadonlyMap<string, BlockNode>
  /** The backing file's node (filters have none). */
  readonly backing: BlockNode | undefined
  /** What the image itself records about its backing file. */
  readonly backingReference: BackingReference | undefined
  /** `true` once the node has no medium any more; all requests fail with `ENOMEDIUM`. */
  readonly ejected: boolean
}
