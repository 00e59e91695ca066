/** What `qemu-img` does, as functions on disks that are open. */

export { type BlockLimits, blockLimits } from './block-limits.ts'
export { type BenchPlan, benchDisk } from './bench-disk.ts'
export { type CheckImageOptions, type CheckReport, type CheckVerdict, checkImage } from './check-image.ts'
export { type CompareOptions, type Comparison, compareDisks } from './compare-disks.ts'
export { type ConvertOptions, type ConvertWarning, convertImage } from './convert/convert-image.ts'
export type { ConvertTarget, ExistingTarget, NewTarget, TargetBacking } from './convert/target.ts'
export { type DdOptions, type DdResult, type DdTarget, ddImage } from './dd-image.ts'
export { changeImageBitmap, type ImageBitmapAction } from './image-bitmap.ts'
export {
  type ChainInfoOptions,
  type ChildInfo,
  chainInfo,
  type ImageInfo,
  imageInfo,
  type NamedImage,
  walkChain,
} from './image-info.ts'
export {
  applyImageSnapshot,
  createImageSnapshot,
  deleteImageSnapshot,
  showImageSnapshot,
} from './image-snapshots.ts'
export { continuesExtent, continuesPlace, type MapExtent, type MapOptions, mapImage } from './map-image.ts'
export { type Inspection, inspectImage } from './inspect/inspect-image.ts'
export {
  type InspectLimits,
  inspectLimitsDefault,
  type Reason,
  type ReasonCode,
  reasonCodes,
  type Verdict,
} from './inspect/verdict.ts'
export { printable } from './printable.ts'
export { type CellKind, CellMap } from './picture/cells.ts'
export {
  collectPicture,
  type Fragmentation,
  type Picture,
  type PictureImage,
  type PictureOptions,
} from './picture/collect.ts'
export { pictureHtml } from './picture/html.ts'
export { pictureSvg } from './picture/svg.ts'
export type { RefusalReason } from './refusal.ts'
export { type NewSize, type ResizeOptions, resizeImage } from './resize-image.ts'
export { type DataBound, diskStream, type StreamBelow } from './stream/disk-stream.ts'
export { ForwardBytes, type ForwardOptions } from './stream/forward-bytes.ts'
export { openDiskStream, type OpenDiskStreamOptions } from './stream/open-disk-stream.ts'
export { rawDiskStream, writeRawStream } from './stream/raw-stream.ts'
export { type ByteSource, chunksOf, rawStreamOf, type RawStreamOptions, streamOf } from './stream/web-streams.ts'
