/** One planted breach for every layer rule, in a small tree that has the project's shape. */

/** A file that breaks a rule: `rule` must be reported for an import in `file`. */
export interface Breach {
  readonly rule: string
  /** The file that the report must name, relative to the tree. */
  readonly file: string
  /** Files to plant: path to content. The first is not special. */
  readonly plant: Readonly<Record<string, string>>
}

/** Folders of the tree that are workspace packages, each importable as `@blocklayer/<last part>`. */
export const fixturePackages: readonly string[] = [
  'packages/block-core',
  'packages/blockjob',
  'packages/driver-blkdebug',
  'packages/driver-file',
  'packages/driver-qcow2',
  'packages/driver-raw',
  'apps/iotests',
  'apps/qemu-img-cli',
  'examples/driver-rot13',
]

/** Files that keep every rule; the tree without breaches must give no report at all. */
export const cleanFiles: Readonly<Record<string, string>> = {
  'packages/block-core/src/index.ts': `export { level } from './driver.ts'\n`,
  'packages/block-core/src/driver.ts': `export const level = 1\n`,
  'packages/block-core/src/testing/index.ts': `export const suite = 1\n`,
  'packages/block-core/src/io/read.ts': `export const read = 1\n`,
  'packages/blockjob/src/index.ts': `import { level } from '@blocklayer/block-core'\nexport const job = level\n`,
  'packages/driver-blkdebug/src/index.ts': `export const blkdebug = 1\n`,
  'packages/driver-file/src/index.ts': `import { open } from 'node:fs'\nexport const file = open\n`,
  'packages/driver-qcow2/src/index.ts': `import { level } from '@blocklayer/block-core/driver'\nexport const qcow2 = level\n`,
  'packages/driver-raw/src/index.ts': `import type { level } from '@blocklayer/block-core/driver'\nexport type Raw = typeof level\n`,
  'packages/driver-raw/test/raw.test.ts': `import { suite } from '@blocklayer/block-core/testing'\nexport const run = suite\n`,
  'apps/iotests/src/main.ts': `import { spawn } from 'node:child_process'\nexport const main = spawn\n`,
  'apps/qemu-img-cli/src/main.ts': `import { qcow2 } from '@blocklayer/driver-qcow2'\nexport const main = qcow2\n`,
  'examples/driver-rot13/src/index.ts': `import { level } from '@blocklayer/block-core/driver'\nexport const rot13 = level\n`,
}

const rooms = ['format', 'metadata', 'refcount', 'mapping', 'data', 'features', 'open']

/** A room that imports its right-hand neighbour. The neighbour's file exists so that the import resolves. */
const roomBreaches: readonly Breach[] = rooms.slice(0, -1).map((room, i) => ({
  rule: `qcow2-${room}-looks-left`,
  file: `packages/driver-qcow2/src/${room}/looks-right.ts`,
  plant: {
    [`packages/driver-qcow2/src/${room}/looks-right.ts`]: `import { room } from '../${rooms[i + 1]}/room.ts'\nexport const seen = room\n`,
    [`packages/driver-qcow2/src/${rooms[i + 1]}/room.ts`]: `export const room = '${rooms[i + 1]}'\n`,
  },
}))

/** A breach that one line in one file makes. */
function line(rule: string, file: string, code: string): Breach {
  return { rule, file, plant: { [file]: `${code}\n` } }
}

/** Every rule's breach; `test/layers.test.ts` holds the list equal to the rules of the real configuration. */
export const breaches: readonly Breach[] = [
  {
    rule: 'no-circular',
    file: 'packages/blockjob/src/ring-a.ts',
    plant: {
      'packages/blockjob/src/ring-a.ts': `import type { B } from './ring-b.ts'\nexport type A = B | 1\n`,
      'packages/blockjob/src/ring-b.ts': `import type { A } from './ring-a.ts'\nexport type B = A | 2\n`,
    },
  },
  line('everything-resolves', 'packages/blockjob/src/lost.ts', `export * from './nowhere.ts'`),
  line(
    'driver-sees-driver-surface-only',
    'packages/driver-raw/src/user-door.ts',
    `export { level } from '@blocklayer/block-core'`,
  ),
  line(
    'drivers-are-strangers',
    'packages/driver-raw/src/sibling.ts',
    `export { qcow2 } from '@blocklayer/driver-qcow2'`,
  ),
  line('drivers-know-no-job', 'packages/driver-raw/src/job.ts', `export { job } from '@blocklayer/blockjob'`),
  line('core-knows-no-driver', 'packages/block-core/src/favourite.ts', `export * from '@blocklayer/driver-raw'`),
  line('jobs-know-core-only', 'packages/blockjob/src/format.ts', `export { qcow2 } from '@blocklayer/driver-qcow2'`),
  line('packages-know-no-app', 'packages/blockjob/src/app.ts', `export { main } from '@blocklayer/qemu-img-cli'`),
  line('apps-are-strangers', 'apps/iotests/src/shortcut.ts', `export { main } from '@blocklayer/qemu-img-cli'`),
  line(
    'packages-have-doors',
    'apps/qemu-img-cli/src/window.ts',
    `export { read } from '../../../packages/block-core/src/io/read.ts'`,
  ),
  line(
    'packages-are-imported-by-name',
    'apps/qemu-img-cli/src/by-path.ts',
    `export { level } from '../../../packages/block-core/src/index.ts'`,
  ),
  line(
    'examples-use-published-surfaces-only',
    'examples/driver-rot13/src/inside.ts',
    `export { read } from '../../../packages/block-core/src/io/read.ts'`,
  ),
  line('node-builtins-stay-at-the-rim', 'packages/blockjob/src/host.ts', `export { readFile } from 'node:fs/promises'`),
  {
    rule: 'node-leaves-come-by-condition',
    file: 'packages/driver-qcow2/src/data/inflate.ts',
    plant: {
      'packages/driver-qcow2/src/data/inflate.ts': `export { inflate } from './codec-node.ts'\n`,
      'packages/driver-qcow2/src/data/codec-node.ts': `export { inflateRawSync as inflate } from 'node:zlib'\n`,
    },
  },
  {
    // The breach is two steps away: only `reachable` can see it.
    rule: 'browser-safe-closure',
    file: 'packages/driver-blkdebug/src/far.ts',
    plant: {
      'packages/driver-blkdebug/src/far.ts': `export { near } from './near.ts'\n`,
      'packages/driver-blkdebug/src/near.ts': `export { file as near } from '@blocklayer/driver-file'\n`,
    },
  },
  line('sources-use-declared-dependencies', 'packages/blockjob/src/undeclared.ts', `export * from 'left-behind'`),
  ...roomBreaches,
]
