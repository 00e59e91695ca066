/** `-o` lists: several are joined, each must be well formed by itself. */

import { isValidOptionList } from '@blocklayer/block-core'
import { Failure } from '../failure.ts'

/**
 * `list` with one more `-o` argument at its end.
 *
 * @param list - what earlier arguments gave; `undefined` before the first
 * @throws Failure `Invalid option list: <text>` for an argument whose end or beginning would run into its neighbours
 * @see QEMU 7.2 qemu-img.c: accumulate_options
 */
export function appendOptionList(list: string | undefined, text: string): string {
  if (!isValidOptionList(text)) throw new Failure(`Invalid option list: ${text}`)
  return list === undefined ? text : `${list},${text}`
}
