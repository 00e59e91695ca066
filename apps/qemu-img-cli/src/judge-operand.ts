/** Judging an operand of the command line before it is opened. */

import { BlockError } from '@blocklayer/block-core'
import { nodeSpec } from '@blocklayer/block-core/driver'
import { createFileDriver } from '@blocklayer/driver-file'
import { inspectImage, type Verdict } from '@blocklayer/qemu-img'
import type { CommandContext } from './context.ts'
import { refusedExit } from './exit-codes.ts'
import { Failure } from './failure.ts'

/** An operand as it was typed. */
export interface JudgedOperand {
  readonly text: string
  readonly imageOpts: boolean
  readonly format?: string | undefined
}

/**
 * The verdict on an operand, which is the name of a file and nothing else: no prefix and no `json:` means anything.
 *
 * @throws BlockError `Could not open '<operand>': …` where the file itself cannot be read; Failure with `--image-opts`;
 *   `signal.reason`
 */
export async function judgeOperand(
  context: CommandContext,
  { text, imageOpts, format }: JudgedOperand,
  signal?: AbortSignal | undefined,
): Promise<Verdict> {
  if (imageOpts) throw new Failure('--untrusted and --image-opts are mutually exclusive')
  const drivers = await context.drivers()
  const { limits } = context.untrusted
  try {
    const file = nodeSpec(createFileDriver({ aio: 'sync' }), { filename: text })
    return await inspectImage({ file, format, formats: drivers, limits, signal })
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(`Could not open '${text}': `) : error
  }
}

/**
 * The format of an operand that is acceptable.
 *
 * @throws Failure with every reason, and a status of its own, where it is not
 */
export async function requireAcceptable(context: CommandContext, operand: JudgedOperand): Promise<string> {
  const { verdict, format, reasons, virtualSize = 0n } = await judgeOperand(context, operand)
  if (verdict === 'acceptable' && format !== undefined) {
    context.untrusted.grantReading(virtualSize)
    return format
  }
  const [first = '', ...more] = reasons.map(({ message }) => `Refused '${operand.text}': ${message}`)
  throw new Failure(first, { more, exitCode: refusedExit })
}
