/** A protocol over memory that writes down every request it gets, and fails those that a test names. */
import type { BlockDriver, BlockLayer, LayerLimits, NodeSpec, PermissionSet } from '../../src/driver.ts'
import { defineDriver, nodeSpec } from '../../src/driver.ts'
import { bytesIn } from '../../src/io/vectors.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'

export interface RecorderOptions {
  readonly recorder: Recorder
}

/** Requests as text: `read 0+512`, `write 512+512 fua`, `zero 0+4096 unmap`, `discard 0+512`, `flush`, `truncate 1024`. */
export class Recorder {
  readonly log: string[] = []
  readonly store: MemoryStore
  limits: LayerLimits = {}
  supportsFua = false
  /** Takes several buffers in one request. */
  vectored = true
  /** The buffers of all vectored writes. */
  readonly vectors: (readonly Uint8Array[])[] = []
  zeroes: 'all' | 'none' | 'refused' = 'all'
  permissions: PermissionSet | undefined
  lock: ((permissions: PermissionSet) => void) | undefined
  /** Called before each request; throws to make it fail, returns a promise to delay it. */
  before: ((request: string) => Promise<void> | undefined) | undefined
  readonly reopened: boolean[] = []
  closed = 0

  constructor(content: Uint8Array | number = 0) {
    this.store = new MemoryStore(content)
  }

  async note(request: string): Promise<void> {
    this.log.push(request)
    await this.before?.(request)
  }

  /** The log since the last call. */
  take(): string[] {
    return this.log.splice(0)
  }
}

export const recorderDriver: BlockDriver<RecorderOptions, never> = defineDriver<RecorderOptions>({
  formatName: 'recorder',
  protocolName: 'recorder',
  kind: 'protocol',
  options: { recorder: { name: 'recorder', type: 'string', help: 'only in code' } },
  open: async (_context, { recorder }) => recorderLayer(recorder),
})

export function record(recorder: Recorder, extra: Omit<NodeSpec, 'driver' | 'options'> = {}): NodeSpec {
  return nodeSpec(recorderDriver, { recorder }, extra)
}

function recorderLayer(recorder: Recorder): BlockLayer {
  const { store } = recorder
  const flags = (unmap: boolean, fua: boolean) => `${unmap ? ' unmap' : ''}${fua ? ' fua' : ''}`
  return {
    get length() {
      return store.length
    },
    limits: recorder.limits,
    read: async (offset, into) => {
      await recorder.note(`read ${offset}+${into.length}`)
      store.read(offset, into)
    },
    ...(recorder.vectored
      ? {
          readv: async (offset: number, into: readonly Uint8Array[]) => {
            await recorder.note(`read ${offset}+${bytesIn(into)}`)
            let at = offset
            for (const buffer of into) {
              store.read(at, buffer)
              at += buffer.length
            }
          },
        }
      : {}),
    flushToDisk: () => recorder.note('flush'),
    writer: {
      supportsFua: recorder.supportsFua,
      write: async (offset, data, { fua }) => {
        await recorder.note(`write ${offset}+${data.length}${flags(false, fua)}`)
        store.write(offset, data)
      },
      ...(recorder.vectored
        ? {
            writev: async (offset: number, data: readonly Uint8Array[], { fua }: { fua: boolean }) => {
              recorder.vectors.push(data)
              await recorder.note(`write ${offset}+${bytesIn(data)}${flags(false, fua)}`)
              let at = offset
              for (const buffer of data) {
                store.write(at, buffer)
                at += buffer.length
              }
            },
          }
        : {}),
      zeroFlags: { mayUnmap: true, noFallback: true },
      ...(recorder.zeroes === 'none'
        ? {}
        : {
            writeZeroes: async (
              offset: number,
              bytes: number,
              { mayUnmap, fua }: { mayUnmap: boolean; fua: boolean },
            ) => {
              await recorder.note(`zero ${offset}+${bytes}${flags(mayUnmap, fua)}`)
              store.zero(offset, bytes)
            },
          }),
      truncateFlags: { zeroNewArea: true },
      discard: async (offset, bytes) => recorder.note(`discard ${offset}+${bytes}`),
      truncate: async (length) => {
        await recorder.note(`truncate ${length}`)
        store.resize(length)
      },
    },
    setPermissions: (permissions) => {
      recorder.lock?.(permissions)
      recorder.permissions = permissions
    },
    reopen: async ({ readOnly }) => {
      await recorder.note(`reopen ${readOnly ? 'ro' : 'rw'}`)
      recorder.reopened.push(readOnly)
    },
    close: async () => {
      recorder.closed++
    },
  }
}
