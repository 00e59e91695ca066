/**
 * Emptying a qcow2 image fails at each of its steps in turn. Whatever is left on disk, the data that was committed reads
 * right before and after the repair that the next writable open makes, the image is healthy then, and a second commit
 * empties it.
 */

import type { IoTest } from '../../runner/io-test.ts'
import type { TestContext } from '../../runner/test-context.ts'

/** One rule that lets requests fail from an event on. */
interface Case {
  readonly rule: Readonly<Record<string, string>>
  /** What it hits, for the transcript. */
  readonly what: string
  /**
   * The damage is a matter of the implementation: one that flushes between steps where another does not fails at another
   * step. The transcript then has only what must hold for all.
   */
  readonly damageVaries?: boolean
}

interface Pair {
  readonly base: string
  readonly overlay: string
}

const cases: readonly Case[] = [
  { rule: { event: 'l1_update' }, what: 'zeroing the L1 table' },
  { rule: { event: 'empty_image_prepare' }, what: 'zeroing where the new tables will be' },
  { rule: { event: 'reftable_update' }, what: 'the header that points to the new tables' },
  { rule: { event: 'refblock_alloc' }, what: 'the first entry of the new refcount table' },
  { rule: { event: 'cluster_alloc' }, what: 'reading the new refcount block' },
  { rule: { event: 'cluster_alloc', once: 'on' }, what: 'the same, once: nothing is written behind it' },
  { rule: { event: 'cluster_alloc', iotype: 'write' }, what: 'writing the new refcount block' },
  { rule: { event: 'cluster_alloc', iotype: 'write', once: 'on' }, what: 'the same, once: closing writes it again' },
  { rule: { event: 'refblock_load' }, what: 'the refcount block, once it is in the cache' },
  { rule: { event: 'refblock_load', once: 'on' }, what: 'the same, once: closing writes it again' },
  { rule: { event: 'refblock_update_part' }, what: 'writing the refcount block back' },
  { rule: { event: 'refblock_update' }, what: 'nothing: no step announces it' },
  { rule: { event: 'flush_to_disk' }, what: 'nothing: it is announced below the rules' },
  { rule: { event: 'l1_update', iotype: 'flush' }, what: 'the first flush', damageVaries: true },
  { rule: { event: 'empty_image_prepare', iotype: 'flush' }, what: 'a flush further on', damageVaries: true },
  { rule: { event: 'refblock_alloc', iotype: 'flush' }, what: 'the flush of the new refcount table' },
]

/** What the chain reads from before the commit to the very end; silent unless a byte is wrong. */
const reads = ['-c', 'read -qP 0x22 0 64k', '-c', 'read -qP 0x11 64k 64k', '-c', 'read -qP 0 128k 64k']

/** @see spec: commit-and-make-empty, sections 6 and 13 */
export const test: IoTest = {
  title: 'emptying an image after commit, with every step failing',
  groups: ['auto', 'quick', 'commit', 'blkdebug'],
  async run(context) {
    const pair = { base: context.image('base'), overlay: context.image() }
    context.section('The images that every case starts from')
    await makePair(context, pair)
    for (const image of [pair.base, pair.overlay]) context.copy(image, `${image}.start`)
    for (const [index, current] of cases.entries()) {
      const rule = Object.entries(current.rule).map(([key, value]) => `${key} = "${value}"`)
      context.section(`${index + 1}. ${Object.values(current.rule).join(', ')}: ${current.what}`)
      await runCase(context, pair, current, `[inject-error]\n${rule.join('\n')}\n`)
    }
  },
}

async function runCase(context: TestContext, pair: Pair, { damageVaries }: Case, rules: string): Promise<void> {
  const { base, overlay } = pair
  for (const image of [base, overlay]) context.copy(`${image}.start`, image)
  const config = context.file('blkdebug.conf', rules)
  await context.qemuImg('commit', `blkdebug:${config}:${overlay}`)

  context.print('\n--- as it was left ---')
  if (damageVaries !== true) await context.qemuImg('check', overlay)
  await context.qemuIo('-r', ...reads, overlay)
  await context.qemuIo('-r', ...reads, base)

  context.print('\n--- opened for writing, which repairs ---')
  if (damageVaries === true) await context.runSilently('qemu-io', '-c', 'close', overlay)
  else await context.qemuIo('-c', 'close', overlay)
  await context.qemuImg('check', overlay)
  await context.qemuIo('-r', ...reads, overlay)
  if (damageVaries !== true) await context.qemuImg('map', overlay)

  context.print('\n--- committed again ---')
  await context.qemuImg('commit', overlay)
  await context.qemuImg('check', overlay)
  await context.qemuImg('map', overlay)
  await context.qemuIo('-r', ...reads, overlay)
  // Header, refcount table, refcount block and L1 table: a cluster each.
  context.print(`length of the overlay: ${context.fileLength(overlay)}`)
}

/** A base with data and an overlay with one cluster of its own, so that there is something to leak. */
async function makePair(context: TestContext, { base, overlay }: Pair): Promise<void> {
  const { format } = context
  await context.qemuImg('create', '-f', format, base, '64M')
  await context.qemuIo('-c', 'write -P 0x11 0 128k', base)
  await context.qemuImg('create', '-f', format, '-b', base, '-F', format, overlay, '64M')
  await context.qemuIo('-c', 'write -P 0x22 0 64k', overlay)
}
