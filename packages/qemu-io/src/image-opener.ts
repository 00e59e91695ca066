/** Opens images in a graph of their own, with the reference's habits. */

import {
  type AnyDriver,
  type BlockBackend,
  type BlockGraph,
  createBlockGraph,
  enableCopyOnRead,
  type FlatOptions,
  type ImplicitOpenPolicy,
} from '@blocklayer/block-core'
import { requireHost } from './host.ts'
import type { AioChoice, OpenRequest } from './open-request.ts'
import type { OpenedImage, Opener } from './session.ts'

/** What images are opened with. */
export interface OpenerOptions {
  /** The drivers there are, by how files are to be read and written; `undefined`: as they like. */
  readonly drivers: (aio: AioChoice | undefined) => readonly AnyDriver[] | Promise<readonly AnyDriver[]>
  /** What to do when an image names another file. There is no default on purpose. */
  readonly implicitOpen: ImplicitOpenPolicy
  /** An empty file for `-s`, and how it is removed once it is open. Absent: `-s` is refused. */
  readonly temporaryFile?: () => Promise<{ readonly path: string; remove(): Promise<void> }>
}

/** An opener over these drivers. */
export function createOpener(options: OpenerOptions): Opener {
  return async (request, onDiagnostic) => {
    const { implicitOpen } = options
    const graph = createBlockGraph({ drivers: await options.drivers(request.aio), implicitOpen, onDiagnostic })
    try {
      const backend = request.snapshot
        ? await openOverlay(graph, request, options.temporaryFile)
        : await openImage(graph, request)
      if (request.copyOnRead) enableCopyOnRead(backend.root)
      return openedImage(graph, backend)
    } catch (error) {
      await graph.close()
      throw error
    }
  }
}

function openedImage(graph: BlockGraph, backend: BlockBackend): OpenedImage {
  return {
    graph,
    backend,
    async close() {
      try {
        await backend.close()
      } finally {
        await graph.close()
      }
    },
  }
}

function openImage(graph: BlockGraph, request: OpenRequest): Promise<BlockBackend> {
  const { path, options, format, readOnly, forceShare, unmap, cache } = request
  const given: FlatOptions = new Map(options)
  return graph.open(path ?? given, {
    ...(path === undefined ? {} : { options: given }),
    format,
    readOnly,
    forceShare,
    unmap,
    cache,
  })
}

/** The image read-only, and above it a qcow2 image in a file that goes when it is closed. */
async function openOverlay(
  graph: BlockGraph,
  request: OpenRequest,
  temporaryFile: OpenerOptions['temporaryFile'],
): Promise<BlockBackend> {
  const base = await openImage(graph, { ...request, readOnly: true })
  const file = await requireHost(temporaryFile)()
  try {
    await graph.create('qcow2', file.path, { size: base.length })
    const overlay: FlatOptions = new Map([
      ['driver', 'qcow2'],
      ['file.driver', 'file'],
      ['file.filename', file.path],
      // Nobody else can mean this file, and nobody needs it after a power cut.
      ['file.locking', 'off'],
      ['backing', base.root.nodeName],
    ])
    const cache = { direct: false, noFlush: true, writeThrough: false }
    return await graph.open(overlay, { readOnly: request.readOnly, unmap: request.unmap, cache })
  } finally {
    await file.remove()
    await base.close()
  }
}
