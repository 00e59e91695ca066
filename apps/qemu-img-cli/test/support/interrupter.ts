/**
 * A driver module for `--driver`: a filter that interrupts its own process at the n-th request, as a user would at that
 * very moment. It imports nothing but types, so that it can be loaded by the program as built.
 */

import type { BlockDriver, BlockLayer, Child, ChildSpec, OptionSchema } from '@blocklayer/block-core/driver'

interface InterrupterOptions {
  readonly file: ChildSpec
  /** Counted from 1. */
  readonly nth: number
  /** `kill`: by the system; `emit`: only this process's listeners, for tests that share a process with others. */
  readonly how?: 'kill' | 'emit'
}

const options: OptionSchema<InterrupterOptions> = {
  file: { name: 'file', type: 'node', required: true, help: '' },
  nth: { name: 'nth', type: 'number', required: true, help: '' },
  how: { name: 'how', type: ['kill', 'emit'], help: '' },
}

/** `ChildRoles.filtered | ChildRoles.primary` */
const filteredPrimary = 4 | 16

/** The filter. */
export const interrupterDriver: BlockDriver<InterrupterOptions> = {
  formatName: 'interrupter',
  kind: 'filter',
  options,
  async open(context, { file, nth, how = 'kill' }) {
    const child = await context.attach('file', filteredPrimary, file)
    let left = Number(nth)
    return new Interrupter(child, async () => {
      if (--left === 0) await interrupt(how)
    })
  },
}

/** Sends SIGINT, and returns when the process has seen it. */
async function interrupt(how: 'kill' | 'emit'): Promise<void> {
  if (process.listenerCount('SIGINT') === 0) throw new Error('nobody listens to SIGINT')
  const seen = new Promise<void>((resolve) => process.once('SIGINT', () => resolve()))
  // A signal on its way keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  if (how === 'kill') process.kill(process.pid, 'SIGINT')
  else process.emit('SIGINT')
  await seen
  clearInterval(alive)
}

class Interrupter implements BlockLayer {
  readonly writer: NonNullable<BlockLayer['writer']>
  readonly #file: Child
  readonly #count: () => Promise<void>

  constructor(file: Child, count: () => Promise<void>) {
    this.#file = file
    this.#count = count
    this.writer = {
      truncateFlags: { zeroNewArea: true },
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: (offset, data, flags) => count().then(() => file.write(offset, data, flags)),
      writeZeroes: (offset, bytes, flags) => count().then(() => file.writeZeroes(offset, bytes, flags)),
      discard: (offset, bytes) => count().then(() => file.discard(offset, bytes)),
      truncate: (length, how) => count().then(() => file.truncate(length, how)),
    }
  }

  get length(): number {
    return this.#file.length
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    await this.#count()
    await this.#file.read(offset, into)
  }

  async close(): Promise<void> {}
}
