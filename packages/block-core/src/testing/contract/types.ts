/** What a driver gives the contract suite, and what it gets back. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import type { AnyDriver } from '../../driver/block-driver.ts'
import type { BlockGraph } from '../../graph/block-graph.ts'
import type { OptionScalar } from '../../options/schema.ts'
import type { MemoryStore } from '../memory-driver.ts'
import type { MemoryFiles } from '../memory-files.ts'

/** An image under test. */
export interface ContractImage {
  readonly disk: BlockBackend
  /** Closes the image and opens it again, from what is stored. */
  reopen(): Promise<BlockBackend>
  /** Closes what is open and removes what was made. */
  cleanUp(): Promise<void>
}

/**
 * What a driver says of itself. `true`: the case demands it. `false`: the case demands that it is refused by name and that
 * nothing has changed then. Absent: as it stands beside each.
 */
export interface DriverAbilities {
  /** Absent: true. `false` skips every case that writes, by name. */
  readonly write?: boolean
  /** Whether an image can be opened read-only. Absent: true. `false` has every case open it writable. */
  readonly readOnly?: boolean
  /** Whether the disk can grow. Absent: true. */
  readonly truncate?: boolean
  /** Whether the disk can shrink. Absent: either. */
  readonly shrink?: boolean
  /** Whether a new image reads as zeroes. Absent: true. */
  readonly zeroInit?: boolean
  /** Whether discarded ranges read as zeroes. Absent: they may hold anything. */
  readonly discardZeroes?: boolean
  /** Whether an image can be checked. Absent: either. */
  readonly check?: boolean
  /** Whether an image can be emptied. Absent: either. */
  readonly makeEmpty?: boolean
  /** Whether an open node can switch between read-only and writable. Absent: either. */
  readonly switchMode?: boolean
}

/** A driver as the suite sees it. Most drivers get theirs from `driverContract`. */
export interface DriverContract {
  /** Makes an image of `bytes` bytes (a multiple of 64 KiB) and opens it; writable where the driver can write. */
  make(bytes: number): Promise<ContractImage>
  readonly can?: DriverAbilities
  /** Seed of the random cases; printed in their names. Default 1, or `BLOCKLAYER_SEED`. */
  readonly seed?: number
  /** What lies beneath the driver. Absent (protocols): cases that need it are skipped by name. */
  readonly storage?: ContractStorage
}

/** How an image in memory is opened. */
export interface StoredOpenOptions {
  readonly readOnly?: boolean
  /** Opened for a check: damage is tolerated. */
  readonly check?: boolean
  /** Awaited before each request to the file; see `randomPace`. */
  readonly pace?: () => Promise<void>
  /** Content of a backing file to put beneath it. */
  readonly backing?: Uint8Array
  /** Further options of the node, in text form. */
  readonly options?: Readonly<Record<string, OptionScalar>>
}

/** An open image in memory. */
export interface StoredImage {
  readonly disk: BlockBackend
  /** The graph it is open in; the driver under test and `mem` are in its list. */
  readonly graph: BlockGraph
  readonly files: MemoryFiles
  /** Closes all of the graph. */
  close(): Promise<void>
}

/** Options in text form. */
export type CreationValues = Readonly<Record<string, string | number | bigint | boolean>>

/** A driver whose storage is at the suite's mercy: requests fail, the power is cut. */
export interface ContractStorage {
  readonly driver: AnyDriver
  /** Creation options, in text form; `undefined`: the images come from elsewhere. */
  readonly create: CreationValues | undefined
  /** Content of the file of a new image of `bytes` guest bytes. */
  image(bytes: number): Promise<Uint8Array>
  open(store: MemoryStore, options?: StoredOpenOptions): Promise<StoredImage>
}

/** One case: run it in a test of this name. */
export interface ContractCase {
  /** Says so where the case is skipped, and why. */
  readonly name: string
  /** Why the case does nothing; absent: it is run. */
  readonly skipped?: string
  run(): Promise<void>
}

/** A case's work on an image of its own. */
export type ImageCase = (image: ContractImage) => Promise<void>

/** Makes cases; each runs on something of its own, which is cleaned up however it ends. */
export interface CaseMaker {
  /** On a fresh image of `bytes`. */
  image(name: string, bytes: number, body: ImageCase): ContractCase
  /** On the driver's storage; skipped where it has none. */
  stored(name: string, body: (storage: ContractStorage) => Promise<void>): ContractCase
  /** Skipped, for a reason that the name tells. */
  skip(name: string, reason: string): ContractCase
}
