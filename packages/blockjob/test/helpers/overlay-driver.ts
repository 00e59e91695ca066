/** A format for tests: clusters in a child at their guest offset, a map of what is allocated, and a backing file. */
import {
  AsyncMutex,
  type BlockDriver,
  type BlockLayer,
  BlockError,
  type Child,
  ChildRoles,
  defineDriver,
  type Errno,
  type NodeSpec,
  nodeSpec,
} from '@blocklayer/block-core/driver'

const states = { unallocated: 0, data: 1, zero: 2 } as const

/** The image's metadata, kept beside the graph so that tests can look at it. */
export class OverlayMap {
  readonly clusterSize: number
  clusters: Uint8Array
  length: number
  /** Metadata changes, so that a test can see that nothing was touched. */
  changes = 0
  /** What the image says about its backing file, where that is not open. */
  backingName: string | undefined
  /** What emptying fails with. */
  failEmptying: Errno | undefined
  /** What a look at the mapping fails with. */
  failStatus: Errno | undefined

  constructor(length: number, clusterSize = 65536) {
    this.clusterSize = clusterSize
    this.length = length
    this.clusters = new Uint8Array(Math.ceil(length / clusterSize))
  }

  get allocated(): number[] {
    return [...this.clusters.keys()].filter((index) => this.clusters[index] !== states.unallocated)
  }

  set(index: number, state: number): void {
    if (this.clusters[index] !== state) this.changes++
    this.clusters[index] = state
  }
}

export interface OverlayOptions {
  readonly file: NodeSpec
  readonly backing?: NodeSpec | undefined
  readonly map: OverlayMap
  /** What the driver lacks. */
  readonly without?: readonly ('truncate' | 'makeEmpty' | 'writeZeroes' | 'reopen' | 'changeBacking')[]
}

export const overlayDriver: BlockDriver<OverlayOptions> = defineDriver<OverlayOptions>({
  formatName: 'overlay',
  kind: 'format',
  supportsBacking: true,
  options: {
    file: { name: 'file', type: 'node', help: 'the clusters' },
    backing: { name: 'x-backing', type: 'node', help: 'the backing file' },
    map: { name: 'map', type: 'string', help: 'the metadata (only in code)' },
    without: { name: 'without', type: 'string', help: 'what the driver lacks (only in code)' },
  },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    const backing =
      options.backing === undefined ? undefined : await context.attach('backing', ChildRoles.cow, options.backing)
    return overlayLayer(options, file, backing)
  },
})

export function overlay(options: OverlayOptions, nodeName?: string): NodeSpec<OverlayOptions> {
  return nodeSpec(overlayDriver, options, { nodeName })
}

function overlayLayer(options: OverlayOptions, file: Child, backing: Child | undefined): BlockLayer {
  const { map, without = [] } = options
  const { clusterSize } = map
  const mutex = new AsyncMutex()
  const readCluster = async (index: number, from: number, into: Uint8Array): Promise<void> => {
    const offset = index * clusterSize + from
    const state = map.clusters[index]
    if (state === states.data) await file.read(offset, into)
    else if (state === states.zero || backing === undefined || offset >= backing.length) into.fill(0)
    else await backing.read(offset, into)
  }
  const eachCluster = async (
    offset: number,
    bytes: number,
    visit: (index: number, from: number, start: number, length: number) => Promise<void>,
  ): Promise<void> => {
    for (let done = 0; done < bytes; ) {
      const index = Math.floor((offset + done) / clusterSize)
      const from = offset + done - index * clusterSize
      const length = Math.min(bytes - done, clusterSize - from)
      await visit(index, from, done, length)
      done += length
    }
  }
  const writeCluster = (index: number, from: number, data: Uint8Array): Promise<void> =>
    mutex.run(async () => {
      const size = Math.min(clusterSize, map.length - index * clusterSize)
      if (map.clusters[index] === states.data) return file.write(index * clusterSize + from, data)
      const whole = new Uint8Array(size)
      if (data.length < size) await readCluster(index, 0, whole)
      whole.set(data, from)
      await file.write(index * clusterSize, whole)
      map.set(index, states.data)
    })
  const layer: BlockLayer = {
    get length() {
      return map.length
    },
    limits: { zeroAlignment: clusterSize },
    read: (offset, into) =>
      eachCluster(offset, into.length, (index, from, start, length) =>
        readCluster(index, from, into.subarray(start, start + length)),
      ),
    writer: {
      write: (offset, data) =>
        eachCluster(offset, data.length, (index, from, start, length) =>
          writeCluster(index, from, data.subarray(start, start + length)),
        ),
      ...(without.includes('writeZeroes')
        ? {}
        : {
            zeroFlags: { mayUnmap: true, noFallback: true },
            writeZeroes: async (offset: number, bytes: number) => {
              const tail = (offset + bytes) % clusterSize
              if (offset % clusterSize !== 0 || (tail !== 0 && offset + bytes !== map.length)) {
                throw BlockError.fromErrno('ENOTSUP')
              }
              for (let at = offset; at < offset + bytes; at += clusterSize) map.set(at / clusterSize, states.zero)
            },
          }),
      ...(without.includes('truncate')
        ? {}
        : {
            truncate: async (length: number) => {
              const clusters = new Uint8Array(Math.ceil(length / clusterSize))
              clusters.set(map.clusters.subarray(0, clusters.length))
              map.clusters = clusters
              map.length = length
            },
          }),
    },
    mapping: {
      blockStatus: async (offset, bytes) => {
        if (map.failStatus !== undefined) throw BlockError.fromErrno(map.failStatus)
        const index = Math.floor(offset / clusterSize)
        const state = map.clusters[index]
        let end = index + 1
        while (end * clusterSize < offset + bytes && map.clusters[end] === state) end++
        const run = Math.min(end * clusterSize, map.length) - offset
        return { bytes: run, data: state === states.data, zero: state === states.zero }
      },
    },
    maintenance: {
      ...(without.includes('changeBacking')
        ? {}
        : {
            changeBacking: async (reference) => {
              map.backingName = reference === undefined ? undefined : `${reference.format}:${reference.filename}`
              map.changes++
            },
          }),
      ...(without.includes('makeEmpty')
        ? {}
        : {
            makeEmpty: async () => {
              await file.flush()
              if (map.failEmptying !== undefined) throw BlockError.fromErrno(map.failEmptying)
              for (const index of map.clusters.keys()) map.set(index, states.unallocated)
            },
          }),
    },
    info: () => ({ clusterSize }),
    backingReference: () => (map.backingName === undefined ? undefined : { filename: map.backingName, format: 'raw' }),
    ...(without.includes('reopen') ? {} : { reopen: async () => {} }),
    close: async () => {},
  }
  return layer
}
