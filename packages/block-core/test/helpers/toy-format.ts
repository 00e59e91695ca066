/** A format with backing files, small enough to see through: a 4 KiB JSON header, then guest bytes at +4 KiB. */
import {
  type BlockDriver,
  BlockError,
  type BlockLayer,
  type Child,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
} from '../../src/driver.ts'

const headerBytes = 4096
const block = 4096

interface Header {
  toy: true
  size: number
  backing?: { filename: string; format?: string } | undefined
  allocated: number[]
}

export interface ToyOptions {
  readonly file?: ChildSpec
  readonly colour?: string
}

export interface ToyCreate {
  readonly size?: number
  readonly backing_file?: string
  readonly backing_fmt?: string
  readonly fail?: boolean
}

export const toyDriver: BlockDriver<ToyOptions, ToyCreate> = defineDriver<ToyOptions, ToyCreate>({
  formatName: 'toy',
  kind: 'format',
  supportsBacking: true,
  options: {
    file: { name: 'file', type: 'node', help: 'the image file' },
    colour: { name: 'colour', type: 'string', help: 'shows other data', strong: true },
  },
  probe: (head) => (new TextDecoder().decode(head.subarray(0, 7)) === '{"toy":' ? 100 : 0),
  create: {
    options: {
      size: { name: 'size', type: 'size', help: 'Virtual disk size' },
      backing_file: { name: 'backing_file', type: 'string', help: 'File name of a base image' },
      backing_fmt: { name: 'backing_fmt', type: 'string', help: 'Image format of the base image' },
      fail: { name: 'fail', type: 'bool', help: 'fail half-way', default: 'off' },
    },
    async run(context, options) {
      const file = await context.file()
      const backing = context.backing
      await store(file, {
        toy: true,
        size: Number(context.size),
        ...(backing === undefined
          ? {}
          : {
              backing: {
                filename: backing.filename,
                ...(backing.format === undefined ? {} : { format: backing.format }),
              },
            }),
        allocated: [],
      })
      if (options.fail === true) throw new BlockError('ENOSPC', 'the toy broke')
    },
  },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    const bytes = new Uint8Array(headerBytes)
    await file.read(0, bytes)
    const text = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))
    if (!text.startsWith('{"toy":')) throw new BlockError('EINVAL', 'Image is not in toy format')
    const header = JSON.parse(text) as Header
    const recorded =
      header.backing === undefined ? undefined : { filename: header.backing.filename, format: header.backing.format }
    const backing = await context.attachBacking(recorded)
    return toyLayer(file, backing, header, context.readOnly, () => context.eject())
  },
})

export function toy(file: NodeSpec, extra: Omit<NodeSpec, 'driver' | 'options'> = {}): NodeSpec {
  return nodeSpec(toyDriver, { file }, extra)
}

async function store(file: Child, header: Header): Promise<void> {
  const bytes = new Uint8Array(headerBytes)
  bytes.set(new TextEncoder().encode(JSON.stringify(header)))
  await file.write(0, bytes)
}

function toyLayer(
  file: Child,
  openedOver: Child | undefined,
  header: Header,
  openedReadOnly: boolean,
  eject: () => void,
): BlockLayer {
  let dirty = false
  let backing = openedOver
  let readOnly = openedReadOnly
  const save = async () => {
    if (dirty && !readOnly) await store(file, header)
    dirty = false
  }
  const has = (index: number) => header.allocated.includes(index)
  return {
    get length() {
      return header.size
    },
    limits: { requestAlignment: block },
    async read(offset, into) {
      for (let at = 0; at < into.length; at += block) {
        const piece = into.subarray(at, at + block)
        if (has((offset + at) / block)) await file.read(headerBytes + offset + at, piece)
        else if (backing !== undefined) await backing.read(offset + at, piece)
        else piece.fill(0)
      }
    },
    flushToOs: save,
    writer: {
      async write(offset, data) {
        await file.debugEvent('write_aio')
        await file.write(headerBytes + offset, data)
        for (let at = 0; at < data.length; at += block)
          if (!has((offset + at) / block)) header.allocated.push((offset + at) / block)
        dirty = true
      },
      truncateFlags: { zeroNewArea: true },
      async truncate(length) {
        header.size = length
        dirty = true
        await save()
      },
    },
    mapping: {
      async blockStatus(offset, bytes) {
        const first = has(offset / block)
        let end = offset + block
        while (end < offset + bytes && has(end / block) === first) end += block
        return { bytes: end - offset, data: first, zero: false, ...(first ? { hostOffset: headerBytes + offset } : {}) }
      },
    },
    maintenance: {
      async changeBacking(to) {
        const changed = { ...header }
        if (to === undefined) delete changed.backing
        else changed.backing = { filename: to.filename, ...(to.format === undefined ? {} : { format: to.format }) }
        await store(file, changed)
        Object.assign(header, { backing: changed.backing })
      },
      async makeEmpty() {
        header.allocated = []
        dirty = true
        await save()
      },
    },
    backingChanged: (now) => {
      backing = now
    },
    backingReference: () =>
      header.backing === undefined ? undefined : { filename: header.backing.filename, format: header.backing.format },
    info: () => ({ clusterSize: block, dirty }),
    async reopen(change) {
      await save()
      readOnly = change.readOnly
    },
    checker: {
      check: async () => {
        eject()
        throw new BlockError('EIO', 'the toy cannot be checked and is dead now')
      },
    },
    close: save,
  }
}
