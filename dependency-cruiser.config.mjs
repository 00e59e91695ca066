// The layer rules of docs/architecture.md as a check: `pnpm run layers`. Every rule in here is proved to fire by
// test/layers.test.ts, which plants one breach for each: a rule that nothing can break protects nothing.
import { builtinModules } from 'node:module'

/** driver-qcow2's rooms in order; a room may use only those on its left. */
const rooms = ['format', 'metadata', 'refcount', 'mapping', 'data', 'features', 'open']

const roomsLookLeft = rooms.slice(0, -1).map((room, i) => ({
  name: `qcow2-${room}-looks-left`,
  severity: 'error',
  comment: `${room}/ may use only: ${rooms.slice(0, i).join(', ') || 'nothing'}`,
  from: { path: `^packages/driver-qcow2/src/${room}/` },
  to: { path: `^packages/driver-qcow2/src/(${rooms.slice(i + 1).join('|')})/` },
}))

/** Packages that must work in a browser: everything but those that speak to the host. */
const browserSafe =
  '(block-core|blockjob|command-line|qemu-img|qemu-io|driver-(blkdebug|blklogwrites|blkverify|blob|compress|copy-on-read|http|null|preallocate|qcow2|quorum|raw|throttle)|format-[^/]+)'

/** Leaves that a package's `imports` conditions select for Node. (In block-core a `-node` is a node of the graph.) */
const nodeLeaf = '^packages/(?!block-core/).*-node\\.ts$'

/** Where a package may use Node's own modules. */
const rim = `^packages/(driver-file|driver-nbd|cli-host)/|${nodeLeaf}`

/** The entry files that a package's `exports` name. All else under `src/` is private to it. */
const doors = '^packages/[^/]+/src/(index|driver|(testing|build)/index)\\.ts$'

const nodeBuiltins = `^(node:)?(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})(/|$)`

export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'everything-resolves',
      severity: 'error',
      comment: 'An import that is not found is an edge that no other rule sees.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'driver-sees-driver-surface-only',
      severity: 'error',
      comment: 'A third-party driver is the equal of ours: what ours need, block-core/driver offers.',
      from: { path: '^packages/(driver|format)-[^/]+/src/' },
      to: { path: '^packages/block-core/src/', pathNot: '^packages/block-core/src/driver\\.ts$' },
    },
    {
      name: 'drivers-are-strangers',
      severity: 'error',
      comment: 'Drivers meet in the graph, by value or by name; they never import each other.',
      from: { path: '^packages/((driver|format)-[^/]+)/src/' },
      to: { path: '^packages/(driver|format)-', pathNot: '^packages/$1/' },
    },
    {
      name: 'drivers-know-no-job',
      severity: 'error',
      from: { path: '^packages/(driver|format)-[^/]+/src/' },
      to: { path: '^packages/blockjob/' },
    },
    {
      name: 'core-knows-no-driver',
      severity: 'error',
      from: { path: '^packages/block-core/src/' },
      to: { path: '^packages/(driver|format)-|^packages/blockjob/' },
    },
    {
      name: 'jobs-know-core-only',
      severity: 'error',
      from: { path: '^packages/blockjob/src/' },
      to: { path: '^packages/', pathNot: '^packages/(blockjob|block-core)/' },
    },
    { name: 'packages-know-no-app', severity: 'error', from: { path: '^packages/' }, to: { path: '^apps/' } },
    {
      name: 'apps-are-strangers',
      severity: 'error',
      comment: 'One app runs another as a process, as a user would.',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'packages-have-doors',
      severity: 'error',
      comment: "Nobody imports another package's src/: only what its exports name.",
      from: { path: '^(packages/[^/]+|apps/[^/]+)/' },
      to: { path: '^packages/[^/]+/', pathNot: ['^$1/', doors] },
    },
    {
      name: 'packages-are-imported-by-name',
      severity: 'error',
      comment: 'A relative path into another package breaks as soon as either is installed alone.',
      from: { path: '^(packages/[^/]+|apps/[^/]+|examples/[^/]+)/' },
      to: { path: '^(packages|apps|examples)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'examples-use-published-surfaces-only',
      severity: 'error',
      comment: 'An example is a third party: it may use what a stranger can install, and nothing else of ours.',
      from: { path: '^(examples/[^/]+)/' },
      to: { path: '^(packages|apps|examples|scripts|test)/', pathNot: ['^$1/', doors] },
    },
    {
      name: 'node-builtins-stay-at-the-rim',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: rim },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-leaves-come-by-condition',
      severity: 'error',
      comment:
        "A *-node.ts leaf is chosen by its package's `imports` conditions, so that a browser gets the other one.",
      from: { path: '^packages/[^/]+/src/', pathNot: rim },
      to: { path: nodeLeaf },
    },
    {
      name: 'browser-safe-closure',
      severity: 'error',
      from: { path: `^packages/${browserSafe}/src/`, pathNot: nodeLeaf },
      to: { path: nodeBuiltins, reachable: true },
    },
    {
      name: 'sources-use-declared-dependencies',
      severity: 'error',
      comment: 'What a published package imports must be among its own dependencies.',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    ...roomsLookLeft,
  ],
  options: {
    // Type-only imports count: a type from the room above is knowledge of the room above.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // Sources first, so that an edge into a package leads to its rooms and not to a build that may be missing; and what
      // a browser would get, since the rules speak of the browser's set.
      conditionNames: ['@blocklayer/source', 'browser', 'import', 'types', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.json'],
    },
  },
}
