/** A small writable format with a table in memory; `mini-bugs.ts` lists the mistakes that can be put into it. */
import {
  type AnyDriver,
  BlockError,
  type Child,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type OptionSchema,
} from '../../../src/driver.ts'
import type { MiniBug } from './mini-bugs.ts'
import { MiniLayer } from './mini-layer.ts'
import { block, dataStart, header, magic } from './mini-table.ts'

interface MiniOptions {
  readonly file?: ChildSpec
  readonly mode?: 'fast' | 'slow'
  readonly rules?: readonly unknown[]
}

/** The driver, with `bug` in it. */
export function miniDriver(bug?: MiniBug): AnyDriver {
  return defineDriver<MiniOptions, { readonly size?: number | bigint }>({
    formatName: 'mini',
    kind: 'format',
    options: {
      file: { name: 'file', type: 'node', required: true, help: 'the file' },
      mode: { name: 'mode', type: ['fast', 'slow'], help: 'nothing' },
      rules: {
        name: 'rules',
        type: 'dict-list',
        help: 'nothing',
        ...(bug === 'accepts unknown keys' ? {} : { keys: ['a'] }),
      },
    } as OptionSchema<MiniOptions>,
    probe: (head) => probe(head, bug),
    create: {
      options: { size: { name: 'size', type: 'size', help: 'Virtual disk size' } },
      async run(context) {
        const file = await context.file()
        const size = bug === 'creation forgets the size' ? 1024 * 1024 : Number(context.size)
        const writing = file.write(0, header(size)).then(() => file.writeZeroes(block, dataStart - block))
        await (bug === 'creation swallows errors' ? writing.catch(() => {}) : writing)
      },
    },
    async open(context, options) {
      const file = await context.attach('file', ChildRoles.image, options.file)
      return new MiniLayer({ file, head: await loadHead(file, bug), bug, readOnly: context.readOnly })
    },
  }) as AnyDriver
}

function probe(head: Uint8Array, bug: MiniBug | undefined): number {
  if (bug === 'probes everything') return 50
  if (bug === 'probe reads past the end') return new DataView(head.buffer, head.byteOffset, head.length).getUint8(3)
  const known = head.length >= magic.length && magic.every((byte, i) => head[i] === byte)
  if (bug === 'probe changes what it looks at') head.fill(0)
  return known ? 100 : 0
}

async function loadHead(file: Child, bug: MiniBug | undefined): Promise<Uint8Array> {
  const head = new Uint8Array(dataStart)
  const reading = file.read(0, head)
  if (bug === 'opens by halves') await reading.catch(() => head.set(header(256 * 1024)))
  else await reading
  if (!magic.every((byte, i) => head[i] === byte)) throw new BlockError('EINVAL', 'Image is not in mini format')
  return head
}
