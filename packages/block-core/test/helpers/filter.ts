/** A filter that shows its child and nothing else. */
import { type BlockNode, ChildRoles, type ChildSpec, defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'

const filterDriver = defineDriver<{ file: ChildSpec }, never>({
  formatName: 'filter',
  kind: 'filter',
  options: { file: { name: 'file', type: 'node', help: 'the node below' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return {
      get length() {
        return file.length
      },
      read: (offset, into) => file.read(offset, into),
      writer: {
        write: (offset, data) => file.write(offset, data),
        zeroFlags: { mayUnmap: true, noFallback: true },
        writeZeroes: (offset, bytes, flags) => file.writeZeroes(offset, bytes, flags),
        discard: (offset, bytes) => file.discard(offset, bytes),
      },
      reopen: async () => {},
      close: async () => {},
    }
  },
})

export function filterOver(file: NodeSpec | BlockNode, extra: Omit<NodeSpec, 'driver' | 'options'> = {}): NodeSpec {
  return nodeSpec(filterDriver, { file }, extra)
}
