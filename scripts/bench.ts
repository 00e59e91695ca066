/** `pnpm bench NAME [options]`: benchmarks, ours and the reference side by side. */
import { benchCommit } from './bench/commit.ts'
import { benchCore } from './bench/core.ts'
import { benchStart } from './bench/start.ts'
import { benchStream } from './bench/stream.ts'

const benchmarks: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  commit: benchCommit,
  core: benchCore,
  start: benchStart,
  stream: benchStream,
}

const [name, ...args] = process.argv.slice(2)
const benchmark = benchmarks[name ?? '']
if (benchmark === undefined) {
  console.error(`Usage: pnpm bench NAME [options]; NAME is one of: ${Object.keys(benchmarks).join(', ')}`)
  process.exitCode = 1
} else {
  await benchmark(args)
}
