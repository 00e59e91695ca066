/** Proves what is told of images that cannot be closed, after a command that ended well and after one that did not. */

import { BlockError } from '@blocklayer/block-core'
import { defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { UntrustedMode } from '../src/args/untrusted.ts'
import type { CommandContext } from '../src/context.ts'
import { withGraph } from '../src/graph.ts'
import { Interrupted } from '../src/interruption.ts'
import { TextReporter } from '../src/reporter.ts'

const full = defineDriver({
  formatName: 'full',
  kind: 'protocol',
  options: {},
  open: async () => ({
    length: 512,
    read: async (_offset, into) => void into.fill(0),
    close: () => Promise.reject(BlockError.fromErrno('ENOSPC')),
  }),
})

/** What is printed where a command that has opened an image on `full` ends with `error`; and what it ends with. */
async function endingWith(error?: Error): Promise<{ readonly said: string; readonly thrown: string }> {
  let said = ''
  const err = (text: string): void => {
    said += text
  }
  const terminal = { out: () => {}, err }
  const reporter = new TextReporter(terminal as never, 'qemu-img')
  const untrusted = new UntrustedMode()
  const context = { reporter, untrusted, drivers: async () => [full], warn: () => {} }
  try {
    await withGraph(context as unknown as CommandContext, async (graph) => {
      await graph.open(nodeSpec(full, {}), { readOnly: true })
      if (error !== undefined) throw error
    })
    return { said, thrown: '' }
  } catch (thrown) {
    return { said, thrown: (thrown as Error).message }
  }
}

const closing = 'Error while closing the image: No space left on device'

test('after a command that ended well, it is the failure', async () => {
  expect(await endingWith()).toEqual({ said: '', thrown: closing })
})

test('after an interrupted command it is told too: what will be said of the image may not hold', async () => {
  const interrupted = new Interrupted('SIGINT')
  expect(await endingWith(interrupted)).toEqual({ said: `qemu-img: ${closing}\n`, thrown: interrupted.message })
})

test('after a failure it is mostly a consequence', async () => {
  const failure = new BlockError('EIO', 'no more')
  expect(await endingWith(failure)).toEqual({ said: 'qemu-img: no more\n', thrown: 'no more' })
})
