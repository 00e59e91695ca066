/** One command on an image that a program has open. */

import type { BlockBackend, BlockGraph } from '@blocklayer/block-core'
import type { Host } from './host.ts'
import { type Printed, recordingOutput } from './output.ts'
import { runLine } from './run-line.ts'
import { Session } from './session.ts'

/** What a command did. */
export interface CommandOutcome extends Printed {
  readonly ok: boolean
}

/** What {@link runCommand} may be given besides. */
export interface RunCommandOptions {
  /** The graph that the image is open in, for `reopen`. */
  readonly graph?: BlockGraph
  readonly host?: Host
}

/**
 * Runs one command and waits for all that it began. The image stays open, also after `close`.
 *
 * @example
 * const { ok, out } = await runCommand(disk, 'read -P 0 0 512')
 */
export async function runCommand(
  image: BlockBackend,
  line: string,
  options: RunCommandOptions = {},
): Promise<CommandOutcome> {
  const output = recordingOutput()
  const { graph, host } = options
  const opened = { backend: image, close: async () => {}, ...(graph === undefined ? {} : { graph }) }
  const session = new Session({ output, image: opened, ...(host === undefined ? {} : { host }) })
  const ok = await runLine(session, line)
  await session.outstanding.drain()
  return { ok, ...output.take() }
}
