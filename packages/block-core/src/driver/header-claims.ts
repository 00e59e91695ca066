/** What an image says of itself in its first bytes, before anything that it says has been believed. */

/** Bytes from an image's beginning that a driver may ask to see: the largest cluster of any format here. */
export const claimBytesMax: number = 2 * 1024 * 1024

/** Another file that an image names. */
export interface ClaimedName {
  readonly role: 'backing' | 'data-file' | 'extent'
  /** As recorded; malformed UTF-8 is replaced. */
  readonly filename: string
}

/** A table that an image names. */
export interface ClaimedTable {
  /** As the format calls it: `L1 table`. */
  readonly name: string
  readonly offset: bigint
  readonly bytes: bigint
  /** Opening the image takes the whole table into memory. */
  readonly held: boolean
}

/** An image's claims. Sizes are what the fields say, not what there is. */
export interface HeaderClaims {
  /** Bytes. */
  readonly virtualSize: bigint
  readonly names: readonly ClaimedName[]
  readonly tables: readonly ClaimedTable[]
  readonly snapshots: number
  /** Method, where the guest's data is encrypted. */
  readonly encryption?: string | undefined
  /** Features that a program must know to open the image, and this one does not. */
  readonly unknownFeatures: readonly string[]
  /** What else is wrong with the header, in the words of the error that opening would give. */
  readonly problems: readonly string[]
  /** Bytes of memory that opening takes besides the tables: caches, and what is made of them. */
  readonly memory: bigint
  /** The claims are complete only with these bytes of the file: ask again, and give them. */
  readonly fetch?: { readonly offset: number; readonly bytes: number } | undefined
}
