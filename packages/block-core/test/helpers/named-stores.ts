/** A protocol `mem` whose file names are keys of a table of stores: a file system for tests. */
import { type BlockDriver, BlockError, type BlockLayer, defineDriver } from '../../src/driver.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'

export interface NamedOptions {
  readonly filename: string
}

/** Driver over `files`; claims plain names, as `file` does. */
export function namedStores(files: Map<string, MemoryStore>): BlockDriver<NamedOptions, { size?: number }> {
  return defineDriver<NamedOptions, { size?: number }>({
    formatName: 'file',
    protocolName: 'file',
    kind: 'protocol',
    needsFilename: true,
    canonicalName: (filename) => {
      const plain = plainName(filename)
      return files.has(plain) ? plain : undefined
    },
    options: { filename: { name: 'filename', type: 'string', required: true, help: 'the name' } },
    create: {
      options: {
        size: { name: 'size', type: 'size', help: 'Virtual disk size' },
        note: { name: 'note', type: 'string', help: 'a note' },
      } as never,
      run: async (context) => void files.set(context.filename, new MemoryStore(Number(context.size))),
      remove: async (filename) => void files.delete(filename),
    },
    async open(context, { filename }) {
      const store = files.get(plainName(filename))
      if (store === undefined) throw BlockError.withErrno('ENOENT', `Could not open '${filename}'`)
      if (filename.startsWith('readonly') && !context.readOnly)
        throw BlockError.withErrno('EACCES', `Could not open '${filename}'`)
      return layer(store, filename)
    },
  })
}

/** Without `.` between slashes, as a file system sees it. */
function plainName(filename: string): string {
  return filename
    .split('/')
    .filter((part) => part !== '.')
    .join('/')
}

function layer(store: MemoryStore, filename: string): BlockLayer {
  return {
    get length() {
      return store.length
    },
    read: async (offset, into) => store.read(offset, into),
    flushToDisk: async () => store.flush(),
    writer: {
      write: async (offset, data) => store.write(offset, data),
      truncateFlags: { zeroNewArea: true },
      truncate: async (length) => store.resize(length),
    },
    reopen: async ({ readOnly }) => {
      if (!readOnly && filename.startsWith('readonly'))
        throw BlockError.withErrno('EACCES', `Could not open '${filename}'`)
    },
    close: async () => {},
  }
}
