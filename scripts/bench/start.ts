/**
 * `pnpm bench start [--runs N] [--node PATH]`: how long our programs take to start, beside `node -e 0` and the reference.
 *
 * All take turns; figures are medians. The first run of each fills the cache of compiled code and counts for nothing.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cliPath, ensureBuilt, isInstalled, mustSucceed, root, run, withFolder } from '../lib/workspace.ts'
import { median } from './measure.ts'

interface Contender {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

/** Runs the benchmark with the arguments that follow `bench start`. */
export async function benchStart(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { runs: { type: 'string', default: '21' }, node: { type: 'string', default: systemNode() } },
  })
  const io = ensureBuilt('qemu-io-cli', join(root, 'apps/qemu-io-cli/dist/qemu-io.js'))
  ensureBuilt('qemu-img-cli', cliPath)
  await withFolder('bench', async (folder) => {
    const image = join(folder, 'disk.qcow2')
    const contenders = allOf(values.node, io, image)
    mustSucceed('create', run(values.node, [cliPath, 'create', '-q', '-f', 'qcow2', image, '1G']))
    const environment = { ...process.env, XDG_CACHE_HOME: folder }
    const times = contenders.map((): number[] => [])
    for (let i = 0; i <= Number(values.runs); i++) {
      for (const [c, { command }] of contenders.entries()) {
        const start = performance.now()
        const [program, ...rest] = command
        const { status } = spawnSync(program, rest, { env: environment })
        if (status !== 0) throw new Error(`${command.join(' ')}: exit code ${status}`)
        if (i > 0) times[c]!.push(performance.now() - start)
      }
    }
    print(mustSucceed('node', run(values.node, ['--version'])).stdout.trim(), contenders, times.map(median))
  })
}

/** The Node that users have, rather than the one that runs this script. */
function systemNode(): string {
  const folders = (process.env.PATH ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
  return folders.map((folder) => join(folder, 'node')).find((path) => run(path, ['--version']).code === 0) ?? 'node'
}

function allOf(node: string, io: string, image: string): readonly Contender[] {
  const ours: Contender[] = [
    { name: 'node -e 0', command: [node, '-e', '0'] },
    { name: 'qemu-img --version', command: [node, cliPath, '--version'] },
    { name: 'qemu-img info', command: [node, cliPath, 'info', image] },
    { name: 'qemu-io --version', command: [node, io, '--version'] },
    { name: 'qemu-io -c "read 0 512"', command: [node, io, '-c', 'read 0 512', image] },
  ]
  if (!isInstalled('qemu-img')) return ours
  return [...ours, { name: 'reference: qemu-img info', command: ['qemu-img', 'info', image] }]
}

function print(version: string, contenders: readonly Contender[], medians: readonly number[]): void {
  console.log(`starting, Node ${version}, medians`)
  for (const [c, { name }] of contenders.entries()) {
    const ratio = (medians[c]! / medians[0]!).toFixed(2)
    console.log(`  ${name.padEnd(26)} ${medians[c]!.toFixed(0).padStart(5)} ms  ${ratio.padStart(5)} x node -e 0`)
  }
}
