/** Decides whether a file that an image names is opened. The graph's owner says so; there is no default. */

import type { NodeSpec } from '../driver/block-driver.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'

/** A file that an image names. */
export interface ImplicitReference {
  readonly role: 'backing' | 'data-file' | 'extent'
  /** A backing file's name is resolved against the image's own directory; others are as recorded. */
  readonly filename: string
  readonly format: string | undefined
  readonly referrer: BlockNode
}

/**
 * What to do when an image names another file: open it, refuse the whole open, or decide case by case, also by giving
 * a node to use in its place.
 */
export type ImplicitOpenPolicy =
  | 'allow'
  | 'deny'
  | ((reference: ImplicitReference) => 'allow' | 'deny' | NodeSpec | Promise<'allow' | 'deny' | NodeSpec>)

/**
 * The policy's verdict; a refusal is an error.
 *
 * @throws BlockError `EACCES` where the policy denies
 */
export async function askPolicy(policy: ImplicitOpenPolicy, reference: ImplicitReference): Promise<'allow' | NodeSpec> {
  const verdict = typeof policy === 'function' ? await policy(reference) : policy
  if (verdict === 'deny') {
    throw new BlockError(
      'EACCES',
      `The image names the ${reference.role} file '${reference.filename}', which this graph may not open`,
    )
  }
  return verdict
}
