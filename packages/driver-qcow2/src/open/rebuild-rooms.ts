/** Other rooms for an image that stays open: its geometry, which all of them are built from, has changed. */

import type { Geometry } from '../format/geometry.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { ImageFile } from '../metadata/image-file.ts'
import type { RegionName } from '../metadata/region-map.ts'
import { buildRooms, type OpenState, type Rooms } from './build-rooms.ts'
import type { Qcow2Options } from './options.ts'
import { cacheShape, type RuntimeSettings } from './runtime-options.ts'

/** What of an open image the rooms are built from. */
export interface RebuildParts extends Rooms {
  readonly file: ImageFile
  readonly data: DataFile
  readonly header: HeaderStore
  readonly geometry: Geometry
  readonly state: OpenState
  readonly options: Qcow2Options
  readonly settings: RuntimeSettings
  report(line: string): void
}

/** Structures that are registered while an image is opened, and not by a room. */
const registeredAtOpen: readonly RegionName[] = ['snapshot-table', 'inactive-l1', 'inactive-l2', 'bitmap-directory']

/**
 * Builds all rooms anew in `image`. Nothing in the old rooms is used any more, and nothing in their caches is written:
 * the caller has flushed what matters, no request runs, and the caller gives the new refcount table its content.
 */
export function rebuildRooms(image: RebuildParts, geometry: Geometry): void {
  const { file, data, header, state, options, settings, regions, l1 } = image
  const caches = cacheShape(options, { header: header.header, geometry })
  const rooms = buildRooms({
    file,
    data,
    header,
    geometry,
    settings: { ...settings, caches },
    state,
    l1: l1.bytes,
    report: image.report,
  })
  for (const name of registeredAtOpen) {
    const test = regions.test(name)
    if (test !== undefined) rooms.regions.register(name, test)
  }
  Object.assign(image, rooms, { geometry })
}
