/** What a driver gives the contract suite, and what it gets back. */

import type { BlockBackend } from '../../backend/block-backend.ts'

/** An image under test. */
export interface ContractImage {
  readonly disk: BlockBackend
  /** Closes the image and opens it again, from what is stored. */
  reopen(): Promise<BlockBackend>
  /** Closes what is open and removes what was made. */
  cleanUp(): Promise<void>
}

/** A driver as the suite sees it. */
export interface DriverContract {
  /** Makes an image of `bytes` bytes (a multiple of 64 KiB) and opens it; writable where the driver can write. */
  make(bytes: number): Promise<ContractImage>
  /** Absent: everything. `false` skips the cases of that name. */
  readonly can?: {
    readonly write?: boolean
    readonly truncate?: boolean
    /** Whether a new image reads as zeroes. */
    readonly zeroInit?: boolean
    /** Whether discarded ranges read as zeroes. */
    readonly discardZeroes?: boolean
  }
  /** Seed of the random cases; printed in their names. Default 1. */
  readonly seed?: number
}

/** One case: run it in a test of this name. */
export interface ContractCase {
  readonly name: string
  run(): Promise<void>
}

/** A case's work on an image of its own. */
export type ImageCase = (image: ContractImage) => Promise<void>

/** Makes a case that runs on a fresh image of `bytes`. */
export type MakeCase = (name: string, bytes: number, body: ImageCase) => ContractCase
