/** An open qcow2 node: each request goes to the room that serves it. */

import {
  type BackingReference,
  BlockError,
  type BitmapSupport,
  type BlockLayer,
  type BlockStatus,
  type CheckOptions,
  type CheckResult,
  type CheckSupport,
  type Child,
  type LayerInfo,
  type LayerLimits,
  type LayoutSupport,
  type MaintenanceSupport,
  type MappingSupport,
  type PreparedReopen,
  type ReopenChange,
  type SnapshotSupport,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import { exclusively } from './data/exclusive.ts'
import { amendImage } from './features/amend/amend.ts'
import type { Qcow2AmendOptions } from './features/amend/options.ts'
import { checkNewBitmap, removeBitmap } from './features/bitmap/persistent.ts'
import { changeBacking } from './features/change-backing.ts'
import { checkImage } from './features/check/check.ts'
import { imageInfo } from './features/info.ts'
import { describeLayout, layoutNames } from './features/layout/describe.ts'
import { makeEmpty } from './features/make-empty.ts'
import { truncateImage } from './features/resize/grow.ts'
import { applySnapshot, createSnapshot, deleteSnapshot, showSnapshot } from './features/snapshot/snapshots.ts'
import { readVmState, writeVmState } from './features/vmstate.ts'
import { nameText } from './format/header-extension.ts'
import { closeImage } from './open/close.ts'
import type { OpenImage } from './open/open-image.ts'
import { prepareReopen } from './open/reopen-options.ts'

/** The behaviour of an open image. */
export class Qcow2Layer implements BlockLayer {
  readonly limits: LayerLimits
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly checker: CheckSupport
  readonly maintenance: MaintenanceSupport
  readonly snapshots: SnapshotSupport
  readonly bitmaps: BitmapSupport
  readonly layout: LayoutSupport
  readonly #image: OpenImage

  constructor(image: OpenImage) {
    this.#image = image
    // Rooms are looked up for every request: an amendment may have put others in their place.
    const { geometry, header } = image
    this.limits = { zeroAlignment: geometry.subclusterSize, discardAlignment: geometry.clusterSize }
    this.writer = {
      get zeroFlags() {
        const isV3 = header.header.version >= 3
        return { mayUnmap: isV3, noFallback: isV3 }
      },
      write: (offset, data) => image.writer.write(offset, data),
      writeZeroes: (offset, bytes, flags) => image.zeroWriter.writeZeroes(offset, bytes, flags),
      writeCompressed: (offset, data) => image.compressedWriter.write(offset, data),
      discard: (offset, bytes) => image.zeroWriter.discard(offset, bytes),
      truncate: (length, options) => truncateImage(image, length, options),
      truncateFlags: { zeroNewArea: true },
    }
    this.mapping = { blockStatus: (offset, bytes): Promise<BlockStatus> => image.status.blockStatus(offset, bytes) }
    // No write may be under way: its clusters, counted and not yet linked, would look like leaks and be freed.
    const check = (options: CheckOptions) => (): Promise<CheckResult> => checkImage(image, options)
    this.checker = { check: (options) => exclusively(image, 0, Number.POSITIVE_INFINITY, check(options)) }
    this.maintenance = {
      // No guest range: whatever is mapped, a write under way or one beyond the disk's end included.
      makeEmpty: () => exclusively(image, 0, Number.POSITIVE_INFINITY, () => makeEmpty(image)),
      changeBacking: (backing) => image.lock.run(() => changeBacking(image, backing)),
      amend: (options, job) => amendImage(image, options as Qcow2AmendOptions, job),
    }
    this.snapshots = snapshotSupport(image)
    this.layout = { names: layoutNames, describe: (options) => describeLayout(image, options) }
    this.bitmaps = {
      get supported() {
        return image.header.header.version >= 3
      },
      checkNew: async (name, granularity) => checkNewBitmap(image, name, granularity),
      remove: (name) => image.lock.run(() => removeBitmap(image, name)),
    }
  }

  get length(): number {
    return this.#image.header.header.size
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#image.reader.read(offset, into)
  }

  /** Metadata reaches the file in an order in which a crash does no harm; the core flushes the file afterwards. */
  async flushToOs(): Promise<void> {
    const { lock, caches, freed } = this.#image
    await lock.run(async () => {
      await caches.store()
      // Clusters that were freed may be used again from now on.
      if (!freed.isEmpty) await caches.l2Tables.flush()
    })
  }

  info(): LayerInfo {
    const { geometry, header, state } = this.#image
    return imageInfo({ geometry, header, bitmaps: state.bitmaps, snapshots: state.snapshots.entries })
  }

  backingReference(): BackingReference | undefined {
    const { backingFile, backingFormat } = this.#image.header.extensions
    return backingFile === undefined
      ? undefined
      : { filename: nameText(backingFile) ?? '', format: nameText(backingFormat) }
  }

  /** Without L2 tables nothing is mapped. With preallocated ones, new clusters show what a new file shows. */
  async hasZeroInit(): Promise<boolean> {
    const { l1, data } = this.#image
    return l1.entryCount === 0 || l1.offsetOf(0) === 0 || data.file.hasZeroInit()
  }

  backingChanged(backing: Child | undefined): void {
    this.#image.state.backing = backing
  }

  prepareReopen(change: ReopenChange): Promise<PreparedReopen> {
    return prepareReopen(this.#image, change)
  }

  close(): Promise<void> {
    return closeImage(this.#image)
  }
}

function snapshotSupport(image: OpenImage): SnapshotSupport {
  // All mappings change their owner: no write may be about to link a cluster.
  const alone = <Result>(change: () => Promise<Result>): Promise<Result> =>
    exclusively(image, 0, Number.POSITIVE_INFINITY, change)
  const changing = async <Result>(change: () => Promise<Result>): Promise<Result> => {
    // A snapshot would share its clusters with the disk, and those of a data file have but one place.
    if (image.geometry.externalData) throw BlockError.fromErrno('ENOTSUP')
    return alone(change)
  }
  return {
    create: async (moment) => void (await changing(() => createSnapshot(image, moment))),
    apply: (wanted) => changing(() => applySnapshot(image, wanted)),
    delete: (wanted) => changing(() => deleteSnapshot(image, wanted)),
    show: (wanted) => alone(() => showSnapshot(image, wanted)),
    readVmState: (offset, into) => readVmState(image, offset, into),
    writeVmState: (offset, data) => writeVmState(image, offset, data),
  }
}
