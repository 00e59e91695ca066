/** A format in memory with a backing file: clusters are allocated by writes, and every request is written down. */
import { type BlockLayer, ChildRoles, defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'

/** What an image of clusters holds, and how it answers. */
export class Clusters {
  readonly log: string[] = []
  readonly store: MemoryStore
  readonly allocated: Set<number> = new Set()
  readonly clusterSize: number
  requestAlignment = 1
  maxTransfer = 0
  zeroes = true
  /** Called before each request; throws to make it fail, returns a promise to delay it. */
  before: ((request: string) => Promise<void> | undefined) | undefined

  constructor(length: number, clusterSize = 4096) {
    this.store = new MemoryStore(length)
    this.clusterSize = clusterSize
  }

  async note(request: string): Promise<void> {
    this.log.push(request)
    await this.before?.(request)
  }

  /** The log since the last call. */
  take(): string[] {
    return this.log.splice(0)
  }

  /** Marks a range's clusters as the image's own. */
  allocate(offset: number, bytes: number): void {
    const { clusterSize } = this
    for (let at = Math.floor(offset / clusterSize); at * clusterSize < offset + bytes; at++) this.allocated.add(at)
  }

  /** Whether the cluster at `offset` is the image's own, and bytes to the end of the run that is alike. */
  run(offset: number, bytes: number): { allocated: boolean; bytes: number } {
    const { clusterSize } = this
    const first = Math.floor(offset / clusterSize)
    const allocated = this.allocated.has(first)
    let end = first + 1
    while (end * clusterSize < offset + bytes && this.allocated.has(end) === allocated) end++
    return { allocated, bytes: Math.min(end * clusterSize - offset, bytes) }
  }
}

interface Options {
  readonly clusters: Clusters
  readonly backing: NodeSpec | undefined
}

const spec = (name: string) => ({ name, type: 'string' as const, help: 'only in code' })

const driver = defineDriver<Options, never>({
  formatName: 'clusters',
  kind: 'format',
  supportsBacking: true,
  options: { clusters: spec('clusters'), backing: spec('backing') },
  async open(context, { clusters, backing }) {
    const below = backing === undefined ? undefined : await context.attach('backing', ChildRoles.cow, backing)
    return layerOf(clusters, async (offset, into) => {
      if (below === undefined) into.fill(0)
      else await below.read(offset, into)
    })
  },
})

function layerOf(clusters: Clusters, readBelow: (offset: number, into: Uint8Array) => Promise<void>): BlockLayer {
  const { store, clusterSize } = clusters
  /** What a write to a part of a cluster leaves around it comes from below. */
  const fillUp = async (offset: number, bytes: number): Promise<void> => {
    for (const at of [offset, offset + bytes - 1]) {
      const cluster = Math.floor(at / clusterSize)
      if (clusters.allocated.has(cluster)) continue
      const start = cluster * clusterSize
      const content = new Uint8Array(Math.min(clusterSize, store.length - start))
      await readBelow(start, content)
      store.write(start, content)
      clusters.allocated.add(cluster)
    }
  }
  const zero = async (offset: number, bytes: number, flags: { mayUnmap: boolean; unchanged?: boolean }) => {
    await clusters.note(
      `zero ${offset}+${bytes}${flags.mayUnmap ? ' unmap' : ''}${flags.unchanged ? ' unchanged' : ''}`,
    )
    await fillUp(offset, bytes)
    store.zero(offset, bytes)
    clusters.allocate(offset, bytes)
  }
  return {
    get length() {
      return store.length
    },
    limits: { requestAlignment: clusters.requestAlignment, maxTransfer: clusters.maxTransfer },
    info: () => ({ clusterSize }),
    read: async (offset, into) => {
      await clusters.note(`read ${offset}+${into.length}`)
      for (let done = 0; done < into.length; ) {
        const run = clusters.run(offset + done, into.length - done)
        const part = into.subarray(done, done + run.bytes)
        if (run.allocated) store.read(offset + done, part)
        else await readBelow(offset + done, part)
        done += run.bytes
      }
    },
    writer: {
      write: async (offset, data, flags) => {
        await clusters.note(`write ${offset}+${data.length}${flags.unchanged === true ? ' unchanged' : ''}`)
        await fillUp(offset, data.length)
        store.write(offset, data)
        clusters.allocate(offset, data.length)
      },
      zeroFlags: { mayUnmap: true, noFallback: true },
      ...(clusters.zeroes ? { writeZeroes: zero } : {}),
      discard: async (offset, bytes) => clusters.note(`discard ${offset}+${bytes}`),
    },
    mapping: {
      blockStatus: async (offset, bytes) => {
        await clusters.note(`status ${offset}+${bytes}`)
        const run = clusters.run(offset, bytes)
        return { bytes: run.bytes, data: run.allocated, zero: false }
      },
    },
    close: async () => {},
  }
}

/** Describes a node over `clusters`. */
export function clustersOver(
  clusters: Clusters,
  backing?: NodeSpec,
  extra: Omit<NodeSpec, 'driver' | 'options' | 'backing'> = {},
): NodeSpec {
  return nodeSpec(driver, { clusters, backing }, extra)
}
