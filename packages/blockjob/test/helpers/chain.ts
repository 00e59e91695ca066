/** A chain of images in memory, with a place to make requests fail under each of them. */
import {
  type BlockBackend,
  type BlockGraph,
  type BlockNode,
  createBlockGraph,
  type NodeSpec,
  type OpenOptions,
} from '@blocklayer/block-core'
import { memory, MemoryStore } from '@blocklayer/block-core/testing'
import { fault, Faults } from './fault-driver.ts'
import { overlay, OverlayMap, type OverlayOptions } from './overlay-driver.ts'

export const KiB = 1024
export const MiB: number = 1024 * KiB

/** One image, base first. */
export interface LayerPlan {
  readonly name: string
  readonly length: number
  readonly clusterSize?: number
  /** Written before the next image is put on top: offset, bytes and the byte to write. */
  readonly writes?: readonly (readonly [offset: number, bytes: number, value: number])[]
  readonly without?: OverlayOptions['without']
}

export interface Layer {
  readonly name: string
  readonly store: MemoryStore
  readonly map: OverlayMap
  /** Under the format: its clusters. */
  readonly faults: Faults
}

export interface Chain {
  readonly graph: BlockGraph
  /** A user of the top. */
  readonly disk: BlockBackend
  readonly layers: readonly Layer[]
  /** Requests that reach the top from above; only with `watched`. */
  readonly requests: Faults
  /** Opens the images once more, after `disk` was closed. */
  reopen(options: OpenOptions): Promise<BlockBackend>
  layer(name: string): Layer
  node(name: string): BlockNode
}

/**
 * Builds a chain and opens it writable; requests are logged and fail from then on only.
 *
 * @param options - `watched`: a filter stands on the top image and is what `disk` uses
 */
export async function openChain(
  plans: readonly LayerPlan[],
  options: { readonly watched?: boolean } = {},
): Promise<Chain> {
  const requests = new Faults()
  const layers = plans.map(({ name, length, clusterSize }) => ({
    name,
    store: new MemoryStore(),
    map: new OverlayMap(length, clusterSize),
    faults: new Faults(),
  }))
  for (const [index, plan] of plans.entries()) await fill(plans, layers, index, plan)
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const top = chainSpec(plans, layers, plans.length - 1)
  const disk = await graph.open(options.watched === true ? fault(top, requests, 'watch') : top, { unmap: true })
  for (const { faults, map } of layers) {
    faults.log = []
    map.changes = 0
  }
  return {
    graph,
    disk,
    layers,
    requests,
    reopen: (how) => graph.open(chainSpec(plans, layers, plans.length - 1), how),
    layer: (name) => layers.find((layer) => layer.name === name)!,
    node: (name) => graph.node(name)!,
  }
}

async function fill(
  plans: readonly LayerPlan[],
  layers: readonly Layer[],
  index: number,
  plan: LayerPlan,
): Promise<void> {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(chainSpec(plans, layers, index))
  for (const [offset, bytes, value] of plan.writes ?? []) await disk.write(offset, new Uint8Array(bytes).fill(value))
  await graph.close()
}

function chainSpec(plans: readonly LayerPlan[], layers: readonly Layer[], top: number): NodeSpec {
  const layer = layers[top]!
  return overlay(
    {
      file: fault(memory(layer.store), layer.faults),
      map: layer.map,
      backing: top === 0 ? undefined : chainSpec(plans, layers, top - 1),
      without: plans[top]!.without ?? [],
    },
    layer.name,
  )
}

/** The whole content that a user sees. */
export async function contentOf(user: BlockBackend): Promise<Uint8Array> {
  const content = new Uint8Array(user.length)
  await user.read(0, content)
  return content
}

/** Opens one image of a closed chain again, with those below it, and reads it. */
export async function reread(chain: Chain, name: string): Promise<Uint8Array> {
  const index = chain.layers.findIndex((layer) => layer.name === name)
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const plans = chain.layers.map((layer) => ({ name: layer.name, length: layer.map.length }))
  const disk = await graph.open(chainSpec(plans, chain.layers, index), { readOnly: true })
  const content = await contentOf(disk)
  await graph.close()
  return content
}

/** The three images of spec/jobs.md, section 29: base 1 MiB, mid 512 KiB at 1 MiB, top 256 KiB at 2 MiB, of 4 MiB. */
export const threeImages: readonly LayerPlan[] = [
  { name: 'base', length: 4 * MiB, writes: [[0, MiB, 0x11]] },
  { name: 'mid', length: 4 * MiB, writes: [[MiB, 512 * KiB, 0x22]] },
  { name: 'top', length: 4 * MiB, writes: [[2 * MiB, 256 * KiB, 0x33]] },
]

/** Where two contents differ first, with both values; `undefined` where they are equal. Faster than `toEqual`. */
export function firstDifference(actual: Uint8Array, expected: Uint8Array): string | undefined {
  if (actual.length !== expected.length) return `length ${actual.length}, expected ${expected.length}`
  for (let index = 0; index < actual.length; index++) {
    if (actual[index] !== expected[index]) return `${actual[index]} at ${index}, expected ${expected[index]}`
  }
  return undefined
}
