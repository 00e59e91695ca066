/** An image with a backing file of memory, whose allocation a test decides. */
import {
  type BlockStatus,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type TruncateRequest,
} from '../../src/driver.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'

export interface OverlayOptions {
  readonly length: number
  /** A node below, or the length of one without content; absent: none. */
  readonly backing?: NodeSpec | number
  readonly requestAlignment?: number
  /** What the driver answers; default: nothing is allocated. */
  readonly status?: (offset: number, bytes: number, wantZero: boolean) => BlockStatus
  readonly onTruncate?: (options: TruncateRequest) => void
  /** Where `hostOffset` counts; default: memory of 1 MiB. */
  readonly file?: NodeSpec
}

const spec = (name: string) => ({ name, type: 'string' as const, help: 'only in code' })

const overlayDriver = defineDriver<OverlayOptions, never>({
  formatName: 'overlay',
  kind: 'format',
  supportsBacking: true,
  options: {
    length: spec('length'),
    backing: spec('backing'),
    requestAlignment: spec('request-alignment'),
    status: spec('status'),
    onTruncate: spec('on-truncate'),
    file: spec('file'),
  },
  async open(context, options) {
    let { length } = options
    await context.attach('file', ChildRoles.image, options.file ?? memory(new MemoryStore(2 ** 20)))
    const { backing } = options
    if (backing !== undefined) {
      const below: ChildSpec = typeof backing === 'number' ? memory(new MemoryStore(backing)) : backing
      await context.attach('backing', ChildRoles.cow, below)
    }
    return {
      get length() {
        return length
      },
      limits: { requestAlignment: options.requestAlignment ?? 1 },
      read: async (_offset, into) => void into.fill(0),
      writer: {
        write: async () => {},
        truncateFlags: { zeroNewArea: true },
        truncate: async (to, full) => {
          options.onTruncate?.(full)
          length = to
        },
      },
      mapping: {
        blockStatus: async (offset, bytes, wantZero) =>
          options.status?.(offset, bytes, wantZero) ?? { bytes, data: false, zero: false },
      },
      close: async () => {},
    }
  },
})

export function overlay(options: OverlayOptions): NodeSpec {
  return nodeSpec(overlayDriver, options)
}
