/** Progress of a command in the form that the user wants, together with the signal that asks for it. */

import type { JobProgress } from '@blocklayer/block-core'
import type { OutputForm } from './args/common.ts'
import type { CommandContext } from './context.ts'
import { BarProgress } from './print/progress-bar.ts'
import { LineProgress } from './print/progress-lines.ts'
import { type Progress, type ProgressOptions, TextProgress } from './print/progress.ts'

/**
 * Progress of a command that shows none in the reference: only where `--progress` asks for it, and never by a signal.
 *
 * @param options - `form`: of a report that goes to standard output
 */
export function startOwnProgress(
  context: Pick<CommandContext, 'out' | 'err' | 'flush' | 'errColumns' | 'presentation'>,
  { quiet, form = 'human' }: { readonly quiet: boolean; readonly form?: OutputForm },
): Progress {
  const presentation = form === 'json' ? { ...context.presentation, output: form } : context.presentation
  return createProgress({ ...context, presentation }, { enabled: false, quiet, minSkip: 1 })
}

/**
 * Does work of such a command: from 0 on, to 100 if it ends well.
 *
 * @param work - is given what to tell of how far it is; a command of one step need not
 */
export async function showingProgress<T>(
  context: Parameters<typeof startOwnProgress>[0],
  options: Parameters<typeof startOwnProgress>[1] & { readonly unit: 'bytes' | 'steps' },
  work: (onProgress: (done: JobProgress) => void) => Promise<T>,
): Promise<T> {
  const progress = startOwnProgress(context, options)
  const shown = (current: number): number | undefined => (options.unit === 'bytes' ? current : undefined)
  let done = 0
  progress.report(0, shown(0))
  try {
    const result = await work(({ current, total }) => {
      done = current
      // Whatever is left when all is prepared: what is not written yet may still fail.
      progress.report(Math.min((100 * current) / total, 99), shown(current))
    })
    progress.report(100, shown(done))
    return result
  } finally {
    progress.end()
  }
}

/** A command's progress, which a user may also ask for by SIGUSR1 where it is not shown anyway. */
export function startProgress(
  context: Pick<CommandContext, 'out' | 'err' | 'flush' | 'errColumns' | 'presentation'>,
  options: ProgressOptions & { readonly quiet: boolean },
): Progress {
  const progress = createProgress(context, options)
  process.on('SIGUSR1', () => progress.request())
  return progress
}

/** Whether somebody watches, so that it is worth to find out beforehand how much there is to do. */
export function isWatched(
  { presentation }: Pick<CommandContext, 'presentation'>,
  { enabled, quiet }: { readonly enabled: boolean; readonly quiet: boolean },
): boolean {
  if (quiet) return false
  return presentation.progress === undefined ? enabled : presentation.progress !== 'none'
}

function createProgress(
  context: Pick<CommandContext, 'out' | 'err' | 'flush' | 'errColumns' | 'presentation'>,
  { enabled, minSkip, quiet }: ProgressOptions & { readonly quiet: boolean },
): Progress {
  const { presentation, err } = context
  const form = quiet ? 'none' : (presentation.progress ?? (enabled ? 'text' : 'none'))
  const now = (): number => performance.now()
  if (form === 'json') return new LineProgress({ err, now })
  const columns = form === 'bar' ? context.errColumns?.() : undefined
  // Where there is no terminal a bar would fill a log with nothing.
  if (columns !== undefined) return new BarProgress({ err, now, columns })
  // Standard output is for the result, where that is JSON.
  const out = presentation.output === 'json' ? err : context.out
  const flush = (): void => context.flush?.()
  return new TextProgress({ out, err, flush }, { enabled: form === 'text', minSkip })
}
