export { type AmendedOptions, type AmendImageOptions, amendImage, checkAmendOptions } from './backend/amend.ts'
export { type BackendOptions, BlockBackend } from './backend/block-backend.ts'
export type { JobOptions, JobProgress } from './backend/job-options.ts'
export type { Extent } from './backend/map.ts'
export { inFlightDefault } from './backend/request-gate.ts'
export { type RebaseOptions, rebaseImage } from './backend/rebase.ts'
export { applySnapshot, createSnapshot, deleteSnapshot, showSnapshot, snapshotsOf } from './backend/snapshots.ts'
export { type ByteRange, DirtyBitmap, type DirtyBitmapOptions } from './dirty-bitmap/dirty-bitmap.ts'
export type { DirtyBitmapFacts } from './dirty-bitmap/node-bitmaps.ts'
export type {
  AnyDriver,
  BlockDriver,
  ChildSpec,
  Measurement,
  MeasureSource,
  NodeSpec,
} from './driver/block-driver.ts'
export type { CheckOptions, CheckResult, RepairMode } from './driver/block-layer.ts'
export { type ByteSink, type DiskPiece, type DiskStream, writeZeroRun } from './driver/disk-stream.ts'
export { type BlkdebugEvent, blkdebugEvents, isBlkdebugEvent } from './driver/events.ts'
export { claimBytesMax, type ClaimedName, type ClaimedTable, type HeaderClaims } from './driver/header-claims.ts'
export type { InfoValue, LayerInfo, SnapshotFacts } from './driver/layer-info.ts'
export type { LayoutKind, LayoutOptions, LayoutRun, LayoutSupport } from './driver/layout.ts'
export type { BackingReference, BlockNode, DriverKind } from './driver/node-view.ts'
export type { BlockStatus, IoBuffers, Preallocation, ReadFlags, WriteFlags, ZeroFlags } from './driver/requests.ts'
export type { SnapshotMoment, SnapshotWanted } from './driver/snapshot-support.ts'
export {
  AssertionError,
  assert,
  BlockError,
  type BlockErrorOptions,
  type Errno,
  errnoFromNumber,
  errnoNumber,
  errnoText,
  isErrno,
  toBlockError,
} from './errors.ts'
export {
  debugListenerOf,
  isSuspended,
  removeBreakpoint,
  resumeSuspended,
  setBreakpoint,
  untilSuspended,
} from './graph/breakpoints.ts'
export { type BlockGraph, createBlockGraph, type GraphOptions, type OpenOptions } from './graph/block-graph.ts'
export { chainContains, commonBase, findBase, findOverlay, hasOtherBacking } from './graph/chain-queries.ts'
export { type BackingChange, changeBackingFile } from './graph/change-backing.ts'
export { type BitmapCopyOptions, checkBitmapCopy, copyBitmaps, keepsBitmaps } from './graph/copy-bitmaps.ts'
export type { CreationOption } from './graph/creation-options.ts'
export {
  type BitmapAction,
  type BitmapReference,
  type BitmapSuccession,
  changeDirtyBitmap,
  createDirtyBitmap,
  dirtyBitmapFacts,
  dirtyBitmapOf,
  lendDirtyBitmap,
  type NewDirtyBitmap,
  type PreparedBitmapAction,
  prepareBitmapAction,
} from './graph/dirty-bitmaps.ts'
export type { DropOptions } from './graph/drop-intermediate.ts'
export type { Diagnostic } from './graph/graph-core.ts'
export {
  type DescribedEdge,
  type DescribedNode,
  type GraphDescription,
  graphDescription,
} from './graph/graph-description.ts'
export type { CreateOptions, ImageCreation } from './graph/image-create.ts'
export { chainFacts, type ImageFacts, imageFacts, snapshotMembers } from './graph/image-facts.ts'
export type { ImplicitOpenPolicy, ImplicitReference } from './graph/implicit-open.ts'
export { layoutOf } from './graph/layout.ts'
export { type MeasureRequest, measureImage } from './graph/measure.ts'
export { type NodeInfo, type NodeInfoOptions, namedNodes, nodeInfo } from './graph/node-info.ts'
export { type BlockOperation, blockOperations, blockOperationsOn, requireUnblocked } from './graph/op-blockers.ts'
export {
  backingImageOf,
  type ChainAllocation,
  chainAllocation,
  chainImagesOf,
  clusterSizeOf,
  drainedNode,
  drainNode,
  freezeBackingChain,
  moveUsers,
  neverFreeze,
  permissionsOf,
  reopenReadOnly,
  zeroesByUnmapping,
} from './graph/operations.ts'
export {
  canWriteCompressed,
  hostBytesOf,
  limitsOf,
  readsZeroWhenNew,
  requestAlignmentOf,
  resolvedBackingName,
} from './graph/queries.ts'
export { type ByteRun, differingRuns, rebaseRuns } from './graph/rebase-plan.ts'
export type { ChainDepth } from './io/chain-walk.ts'
export { enableCopyOnRead } from './io/copy-on-read.ts'
export {
  isAllocatedAbove,
  readsZeroFast,
  setWriteThreshold,
  writeHighestOffsetOf,
  writeThresholdOf,
} from './io/node-operations.ts'
export { bounceBytesDefault } from './node/bounce-budget.ts'
export type { ResolvedLimits } from './node/limits.ts'
export { type PermissionSet, Permissions, permissionNames } from './node/permissions.ts'
export type { WriteThresholdEvent } from './node/write-threshold.ts'
export * from './options/child-options.ts'
export { combinePaths, isAbsolutePath, protocolPrefix } from './options/filename.ts'
export type { GivenOptions } from './options/flat-options.ts'
export * from './options/help.ts'
export * from './options/json-filename.ts'
export * from './options/key-value.ts'
export type { FlatOptions, OptionScalar, OptionSchema, OptionSpec, OptionType } from './options/schema.ts'
export * from './options/size.ts'
export * from './options/typed.ts'
export * from './util/align.ts'
export * from './util/bytes.ts'
export { infoLines } from './util/info-lines.ts'
export * from './util/json.ts'
