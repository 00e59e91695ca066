/** What an image says about itself. */

import type { InfoValue, LayerInfo, SnapshotFacts } from '@blocklayer/block-core/driver'
import { bitmapFlag, type BitmapEntry } from '../format/bitmap-entry.ts'
import { decodeText } from '../format/bytes.ts'
import { autoclear, compatible, hasFeature, incompatible } from '../format/features.ts'
import type { Geometry } from '../format/geometry.ts'
import { encryptionName } from '../format/header-validate.ts'
import { nameText } from '../format/header-extension.ts'
import type { SnapshotEntry } from '../format/snapshot-entry.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import { vmStateOffset } from './vmstate.ts'

/** What the facts are taken from. */
export interface InfoParts {
  readonly geometry: Geometry
  readonly header: HeaderStore
  /** Persistent bitmaps, in the order of the directory. */
  readonly bitmaps: readonly BitmapEntry[]
  /** In the order of their table. */
  readonly snapshots: readonly SnapshotEntry[]
}

/**
 * Facts of the image beyond its size.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_get_info, qcow2_get_specific_info
 */
export function imageInfo(parts: InfoParts): LayerInfo {
  const { header } = parts.header
  return {
    clusterSize: parts.geometry.clusterSize,
    dirty: parts.header.isDirty,
    encrypted: encryptionName(header) !== undefined,
    vmStateOffset: vmStateOffset(parts),
    ...(parts.snapshots.length > 0 && { snapshots: parts.snapshots.map(snapshotFacts) }),
    specific: { type: 'qcow2', data: header.version < 3 ? version2Facts(parts) : version3Facts(parts) },
  }
}

type Facts = { readonly [key: string]: InfoValue }

function version2Facts({ geometry }: InfoParts): Facts {
  return { compat: '0.10', 'compression-type': 'zlib', 'refcount-bits': geometry.refcountBits }
}

function version3Facts({ geometry, header, bitmaps }: InfoParts): Facts {
  const { compatibleFeatures, compressionType } = header.header
  return {
    compat: '1.1',
    'compression-type': compressionType === 1 ? 'zstd' : 'zlib',
    'lazy-refcounts': hasFeature(compatibleFeatures, compatible.lazyRefcounts),
    ...(bitmaps.length > 0 && { bitmaps: bitmaps.map(bitmapFacts) }),
    'refcount-bits': geometry.refcountBits,
    ...dataFileFacts(header),
    corrupt: header.isCorrupt,
    'extended-l2': hasFeature(header.header.incompatibleFeatures, incompatible.extendedL2),
  }
}

/** An image may leave it to its users to say where its data is. */
function dataFileFacts({ header, extensions }: HeaderStore): Facts {
  if (!hasFeature(header.incompatibleFeatures, incompatible.externalDataFile)) return {}
  const dataFile = nameText(extensions.dataFile)
  return {
    ...(dataFile !== undefined && { 'data-file': dataFile }),
    'data-file-raw': hasFeature(header.autoclearFeatures, autoclear.rawExternalData),
  }
}

function bitmapFacts({ flags, name, granularityBits }: BitmapEntry): Facts {
  const names: string[] = []
  if ((flags & bitmapFlag.inUse) !== 0) names.push('in-use')
  if ((flags & bitmapFlag.auto) !== 0) names.push('auto')
  return { flags: names, name: decodeText(name), granularity: 2 ** granularityBits }
}

function snapshotFacts(entry: SnapshotEntry): SnapshotFacts {
  const { dateSeconds, dateNanoseconds, vmClockNanoseconds, icountHigh, icountLow } = entry
  const isCounted = icountHigh !== 0xffffffff || icountLow !== 0xffffffff
  return {
    id: decodeText(entry.id),
    name: decodeText(entry.name),
    vmStateBytes: entry.vmStateSize,
    dateSeconds,
    dateNanoseconds,
    vmClockNanoseconds,
    icount: isCounted ? BigInt(icountHigh) * 2n ** 32n + BigInt(icountLow) : undefined,
  }
}
