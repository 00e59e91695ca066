/** Lines from standard input, whatever that is. */

import type { LineSource } from '../tool-call.ts'
import { isInteractiveInput, type Terminal } from '../terminal.ts'
import { PipedLines } from './piped-lines.ts'

/** Lines from a person where there is one, else from the file or pipe; the prompt is printed in both cases. */
export async function openLines(prompt: string, terminal: Terminal): Promise<LineSource> {
  if (isInteractiveInput()) {
    const { EditedLines } = await import('./edited-lines.ts')
    return new EditedLines(prompt)
  }
  const piped = new PipedLines(0)
  return {
    next() {
      terminal.out(prompt)
      terminal.flush()
      return piped.next()
    },
    close: () => {},
  }
}
