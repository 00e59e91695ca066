/** Opening an image: the reference's checks in the reference's order, then the rooms. */

import {
  BlockError,
  type Child,
  ChildRoles,
  type NodeBitmaps,
  type OpenContext,
  toBlockError,
} from '@blocklayer/block-core/driver'
import { loadBitmapDirectory } from '../features/bitmap/directory-store.ts'
import { loadBitmaps, markBitmapsInUse } from '../features/bitmap/persistent.ts'
import { noSnapshots } from '../features/snapshot/table-store.ts'
import { entryBytes } from '../format/constants.ts'
import {
  autoclear,
  autoclearKnown,
  hasFeature,
  isEmptyWord,
  unknownFeatures,
  unsupportedForNow,
} from '../format/features.ts'
import type { Geometry } from '../format/geometry.ts'
import type { Header } from '../format/header.ts'
import {
  decodeBackingFile,
  decodeExtensions,
  nameText,
  noExtensions,
  readFeatureNames,
  staleBitmapsHint,
  staleBitmapsWarning,
} from '../format/header-extension.ts'
import { validateHeader } from '../format/header-validate.ts'
import { DataFile } from '../metadata/data-file.ts'
import { HeaderStore } from '../metadata/header-store.ts'
import { ImageFile } from '../metadata/image-file.ts'
import { rangesOverlap } from '../metadata/region-map.ts'
import { attachDataFile } from './attach-data-file.ts'
import { repairIfDirty } from './auto-repair.ts'
import { buildRooms, type OpenState, type Rooms } from './build-rooms.ts'
import { CacheCleaner } from './cache-cleaner.ts'
import type { Qcow2Options } from './options.ts'
import { readHeader } from './read-header.ts'
import { rebuildRooms } from './rebuild-rooms.ts'
import {
  type CacheShape,
  cacheShape,
  judgeRuntimeOptions,
  l2EntriesMin,
  type RuntimeSettings,
} from './runtime-options.ts'
import { loadSnapshots } from './snapshots.ts'

/** An open image: its rooms, and what is not any room's own. */
export interface OpenImage extends Rooms {
  readonly file: ImageFile
  readonly data: DataFile
  readonly header: HeaderStore
  readonly geometry: Geometry
  readonly state: OpenState
  /** Change by reopening. */
  options: Qcow2Options
  /** What the options came to. */
  settings: RuntimeSettings
  readonly nodeName: string
  /** The dirty bitmaps of the node. */
  readonly nodeBitmaps: NodeBitmaps
  readonly cleaner: CacheCleaner
  /** Gives the caches the sizes that go with the disk's. The metadata lock is held. */
  fitCaches(): Promise<void>
  /** Puts rooms for another geometry in the place of all rooms: see `rebuildRooms`. */
  rebuild(geometry: Geometry): void
  report(line: string): void
  reportError(message: string): void
  warn(message: string): void
}

/**
 * Opens the image in the node's `file` child, and the backing file that it names.
 *
 * @throws BlockError with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_do_open; spec/qcow2.md, section 1.2: order of validation
 */
export async function openImage(context: OpenContext, options: Qcow2Options): Promise<OpenImage> {
  const child = await context.attach('file', ChildRoles.image, options.file)
  const file = new ImageFile(child, () => context.eject())
  const { readOnly, flags } = context
  const { header, cluster } = await readHeader(file)
  const featureNames = readFeatureNames(header, cluster)
  const geometry = validateHeader(header, { readOnly, check: flags.check, featureNames })
  const l1 = await readL1(file, header)
  unsupportedForNow(header)
  const settings = judgeRuntimeOptions(options, { header, geometry, flags })
  const store = new HeaderStore(file, header, noExtensions)
  const { useLazyRefcounts, keepsPlaces } = settings
  const nothing = { backing: undefined, bitmaps: [], snapshots: noSnapshots }
  const state: OpenState = { readOnly, useLazyRefcounts, keepsPlaces, ...nothing }
  const report = (line: string): void => context.report(line)
  const reportError = (message: string): void => context.reportError(message)
  const warn = (message: string): void => context.warn(message)
  const data = new DataFile({ file, header: store, isExternal: geometry.externalData })
  const rooms = buildRooms({ file, data, header: store, geometry, settings, state, l1, report })
  const fitCaches = (): Promise<void> =>
    resizeCaches(image, cacheShape(image.options, { header: store.header, geometry: image.geometry }))
  const rebuild = (changed: Geometry): void => rebuildRooms(image, changed)
  const cleaner = new CacheCleaner({
    get lock() {
      return image.lock
    },
    get caches() {
      return image.caches
    },
  })
  const own = {
    file,
    data,
    header: store,
    geometry,
    state,
    options,
    settings,
    nodeName: context.nodeName,
    nodeBitmaps: context.bitmaps,
    cleaner,
  }
  const image: OpenImage = { ...rooms, ...own, fitCaches, rebuild, report, reportError, warn }
  await loadRefcountTable(image)
  const hasStaleBitmaps = readExtensions(image, cluster, context)
  await attachDataFile(context, image)
  store.replace(store.header, { ...store.extensions, backingFile: decodeBackingFile(store.header, cluster) })
  store.noteLayout(cluster)
  if (!flags.check) await loadSnapshots(image)
  registerBitmapDirectory(rooms, store)
  const { bitmaps } = store.extensions
  if (bitmaps !== undefined) {
    state.bitmaps = await loadBitmapDirectory({ file, geometry, size: store.header.size }, bitmaps)
    await loadBitmaps(image)
  }
  if (!readOnly) await clearStaleFeatures(store, hasStaleBitmaps)
  const becomesWritable = !readOnly && !flags.check
  if (becomesWritable) await mend(image)
  state.backing = await attachBacking(context, store)
  // Last: an image that cannot be opened keeps its bitmaps.
  if (becomesWritable) await image.lock.run(() => markBitmapsInUse(image))
  cleaner.start(settings.cacheCleanInterval)
  return image
}

/** The directory is metadata as long as the feature bit vouches for it. */
function registerBitmapDirectory({ regions }: Rooms, store: HeaderStore): void {
  regions.register('bitmap-directory', (start, end) => {
    const { bitmaps } = store.extensions
    if (bitmaps === undefined || !hasFeature(store.header.autoclearFeatures, autoclear.bitmaps)) return false
    return rangesOverlap(start, end, bitmaps.directoryOffset, bitmaps.directoryOffset + bitmaps.directorySize)
  })
}

async function resizeCaches({ caches, inFlight }: Rooms, shape: CacheShape): Promise<void> {
  const { l2Tables, refblocks } = caches
  // Writes under way were planned by slices, and are linked by them: the slices stay as they are meanwhile.
  const entrySize = inFlight.isEmpty ? shape.l2EntrySize : l2Tables.entrySize
  const entryCount = Math.max(l2EntriesMin, Math.floor((shape.l2Entries * shape.l2EntrySize) / entrySize))
  await l2Tables.resize(entryCount, entrySize)
  await refblocks.resize(shape.refblockEntries, refblocks.entrySize)
}

async function readL1(file: Child, header: Header): Promise<Uint8Array> {
  const table = new Uint8Array(header.l1Size * entryBytes)
  try {
    if (table.length > 0) await file.read(header.l1TableOffset, table)
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Could not read L1 table', { cause: error })
  }
  return table
}

async function loadRefcountTable({ refcountTable }: OpenImage): Promise<void> {
  try {
    await refcountTable.load()
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Could not initialize refcount handling', { cause: error })
  }
}

/** Takes the extensions in; `true` where one of them must go with the next header. */
function readExtensions({ header: store }: OpenImage, cluster: Uint8Array, context: OpenContext): boolean {
  const { header } = store
  const { staleBitmaps, ...extensions } = decodeExtensions(header, cluster)
  if (staleBitmaps) {
    context.warn(staleBitmapsWarning(header.version))
    context.report(staleBitmapsHint)
  }
  store.replace(header, extensions)
  return staleBitmaps
}

/**
 * Clears the feature bits that say what a writer who does not know them makes untrue.
 *
 * @param hasStaleBitmaps - the header on disk has a bitmaps extension that nobody may trust
 */
async function clearStaleFeatures(header: HeaderStore, hasStaleBitmaps: boolean): Promise<void> {
  const { autoclearFeatures } = header.header
  const unknown = unknownFeatures(autoclearFeatures, autoclearKnown)
  // The bit without the extension that it vouches for: the reference would take every write for an overlap.
  const isAlone = (autoclearFeatures.low & autoclear.bitmaps) !== 0 && header.extensions.bitmaps === undefined
  if (isEmptyWord(unknown) && !isAlone && !hasStaleBitmaps) return
  const stale = isAlone ? autoclear.bitmaps : 0
  const low = autoclearFeatures.low & autoclearKnown & ~stale
  try {
    await header.rewrite({ header: { autoclearFeatures: { high: 0, low } } })
  } catch (error) {
    throw toBlockError(error).prepend('Could not update qcow2 header: ')
  }
}

/** What must be true of an image before the guest's data in it changes: repaired, and its bitmaps marked as in use. */
export async function becomeWritable(image: OpenImage): Promise<void> {
  await mend(image)
  await image.lock.run(() => markBitmapsInUse(image))
}

async function mend(image: OpenImage): Promise<void> {
  const { header, caches, lock } = image
  await clearStaleFeatures(header, false)
  if (header.isDirty) {
    // The repair reads and writes tables past the caches: they must hold nothing that it makes untrue.
    await lock.run(() => caches.l2Tables.empty())
    await repairIfDirty(image, lock)
    await lock.run(() => caches.l2Tables.empty())
  }
}

async function attachBacking(context: OpenContext, { extensions }: HeaderStore): Promise<Child | undefined> {
  const filename = nameText(extensions.backingFile)
  const reference = filename === undefined ? undefined : { filename, format: nameText(extensions.backingFormat) }
  return context.attachBacking(reference)
}
