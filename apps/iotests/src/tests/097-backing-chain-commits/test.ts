/**
 * Commits in a chain of three images around the 2 GiB mark: into the backing file, which empties the top; the same
 * without emptying, asked for in two ways; and past the image in between, into the base.
 */

import type { IoTest } from '../../runner/io-test.ts'
import type { TestContext } from '../../runner/test-context.ts'

/** Just over 2 GiB, where 32-bit sizes turn negative, and not a multiple of a cluster: the last one is cut off. */
const size = 2100 * 1024 * 1024 + 512
const lastSector = `${size - 512} 512`

/** Each image hides a part of the one below; together they lie on both sides of 0x7fff0000, the last 64 KiB below 2 GiB. */
const layers = [
  { name: 'base', writes: ['write -P 1 0x7ffd0000 192k'] },
  { name: 'itmd', writes: ['write -P 2 0x7ffe0000 128k'] },
  { name: 'top', writes: ['write -P 3 0x7fff0000 64k', `write -P 4 ${lastSector}`] },
] as const

type LayerName = (typeof layers)[number]['name']

/** What the whole chain reads: before any commit, seen from the top, and after it, from the image committed into. */
const everything = [
  'read -P 1 0x7ffd0000 64k',
  'read -P 2 0x7ffe0000 64k',
  'read -P 3 0x7fff0000 64k',
  `read -P 4 ${lastSector}`,
]

/** A base that nothing was committed into. */
const baseAlone = ['read -P 1 0x7ffd0000 192k', `read -P 0 ${lastSector}`]

interface Pass {
  readonly title: string
  /** Options of `commit`. */
  options(context: TestContext): readonly string[]
  readonly reads: Readonly<Record<LayerName, readonly string[]>>
}

const intoItmd = { base: baseAlone, itmd: everything, top: everything }

const passes: readonly Pass[] = [
  { title: 'Into the backing file; the top is emptied', options: () => [], reads: intoItmd },
  {
    title: 'Into the backing file by name; the top keeps what it has',
    options: (context) => ['-b', context.image('itmd')],
    reads: intoItmd,
  },
  { title: 'Into the backing file with -d; the top keeps what it has', options: () => ['-d'], reads: intoItmd },
  {
    title: 'Into the base, past the image in between',
    options: (context) => ['-b', context.image('base')],
    reads: {
      base: everything,
      // Its own data, which now hides what was committed below it, and the last sector out of the base.
      itmd: ['read -P 1 0x7ffd0000 64k', 'read -P 2 0x7ffe0000 128k', `read -P 4 ${lastSector}`],
      top: everything,
    },
  },
]

/** @see spec: commit-and-make-empty, section 12 */
export const test: IoTest = {
  title: 'commit through a backing chain, around 2 GiB',
  groups: ['auto', 'quick', 'backing', 'commit'],
  async run(context) {
    for (const pass of passes) {
      context.section(pass.title)
      await makeChain(context)
      await context.qemuImg('commit', '-f', context.format, ...pass.options(context), imageOf(context, 'top'))
      await showChain(context, pass)
    }
  },
}

/** The top is the test's image itself, so that a test directory shows at once which one is under test. */
function imageOf(context: TestContext, name: LayerName): string {
  return name === 'top' ? context.image() : context.image(name)
}

async function makeChain(context: TestContext): Promise<void> {
  const { format } = context
  let below: string | undefined
  for (const { name, writes } of layers) {
    const image = imageOf(context, name)
    const backing = below === undefined ? [] : ['-b', below, '-F', format]
    await context.qemuImg('create', '-f', format, ...backing, image, String(size))
    await context.qemuIo('-f', format, ...commands(writes), image)
    below = image
  }
}

async function showChain(context: TestContext, pass: Pass): Promise<void> {
  const { format } = context
  for (const { name } of layers) {
    context.print(`\n--- ${name} ---`)
    const image = imageOf(context, name)
    await context.qemuIo('-f', format, '-r', ...commands(pass.reads[name]), image)
    await context.qemuImg('map', '-f', format, image)
    await context.qemuImg('map', '-f', format, '--output=json', image)
    await context.expectHealthy(image)
  }
}

function commands(texts: readonly string[]): string[] {
  return texts.flatMap((text) => ['-c', text])
}
