/** A format with up to three children that writes down its flushes in its file's recorder. */
import { type BlockNode, ChildRoles, type ChildSpec, defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'
import { type Recorder, record } from './recorder.ts'

export interface PairOptions {
  readonly recorder: Recorder
  /** Default: the recorder as a node. */
  readonly file?: NodeSpec | BlockNode
  /** Gets one byte of metadata at each flush. */
  readonly other?: NodeSpec | BlockNode
  readonly unwritten?: NodeSpec
}

const pairDriver = defineDriver<PairOptions, never>({
  formatName: 'pair',
  kind: 'format',
  options: {
    recorder: { name: 'recorder', type: 'string', help: 'only in code' },
    file: { name: 'file', type: 'node', help: 'guest data' },
    other: { name: 'other', type: 'node', help: 'metadata' },
    unwritten: { name: 'unwritten', type: 'node', help: 'never written to' },
  },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file as ChildSpec)
    const other =
      options.other === undefined ? undefined : await context.attach('other', ChildRoles.metadata, options.other)
    if (options.unwritten !== undefined) await context.attach('unwritten', ChildRoles.data, options.unwritten)
    return {
      get length() {
        return file.length
      },
      read: (offset, into) => file.read(offset, into),
      flushToOs: async () => {
        options.recorder.log.push('to os')
        await other?.write(0, new Uint8Array(1))
      },
      flushToDisk: async () => void options.recorder.log.push('to disk'),
      writer: { write: (offset, data) => file.write(offset, data) },
      close: async () => void options.recorder.log.push('close'),
    }
  },
})

export function pairOf(options: PairOptions): NodeSpec {
  return nodeSpec(pairDriver, { file: record(options.recorder), ...options })
}

export function pair(recorder: Recorder): NodeSpec {
  return pairOf({ recorder })
}
