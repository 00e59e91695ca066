/**
 * `pnpm bench core [--runs N] [--mib N] [--dir FOLDER] [--only reads|cached|bitmaps]`: the core's own cost.
 *
 * Reads through raw over file beside bare `fs.read` and the reference, reads that never leave memory, dirty bitmaps.
 * All contenders of one line take turns, so that a slow minute hits them alike; figures are medians. It judges none.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withFolder } from '../lib/workspace.ts'
import { writeRandom } from './commit.ts'
import { benchBitmaps } from './core/bitmaps.ts'
import { benchCached } from './core/cached.ts'
import { benchReads } from './core/reads.ts'

/** Runs the benchmark with the arguments that follow `bench core`. */
export async function benchCore(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '9' },
      mib: { type: 'string', default: '256' },
      dir: { type: 'string', default: tmpdir() },
      only: { type: 'string', default: '' },
    },
  })
  const [runs, mib] = [Number(values.runs), Number(values.mib)]
  const wants = (part: string): boolean => part.includes(values.only)
  if (wants('cached')) await benchCached(runs)
  if (wants('bitmaps')) benchBitmaps(runs)
  if (!wants('reads')) return
  await withFolder(
    'bench',
    async (folder) => {
      const path = join(folder, 'disk.raw')
      // Just written, the file is in the page cache: what is measured is the way there and back, not a disk.
      await writeRandom(path, mib, 1)
      await benchReads(path, mib, runs)
    },
    values.dir,
  )
}
