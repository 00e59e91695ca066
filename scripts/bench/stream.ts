/**
 * `pnpm bench stream [--gib N] [--size GIB] [--from KINDS] [--to KINDS] [--dir FOLDER]`: a disk of 1 TiB with N GiB of
 * data (default 2) through `convert - -`, from images of the reference's.
 *
 * `--from`: any of `qcow2,zlib,zstd,raw`, default the first; `--to`: any of `qcow2,zlib,zstd,raw`, default all. From
 * or to raw, every byte of the disk goes through a pipe, which takes a quarter of an hour for a tebibyte.
 *
 * Both ends are real pipes. Prints peak memory, how much that is above a Node that does nothing, scratch bytes (what
 * appeared in the folder for temporary files, or was written to disk by the process), and time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import { ensureCli, mustSucceed, ours, reference, run, withFolder } from '../lib/workspace.ts'

const GiB = 2 ** 30
const sliceBytes = 2 ** 20

/** What a stream is made from or made into. */
const kinds = ['qcow2', 'zlib', 'zstd', 'raw'] as const
type Kind = (typeof kinds)[number]

/** Arguments of `convert` that make each kind. */
const writing: Readonly<Record<Kind, readonly string[]>> = {
  qcow2: ['-O', 'qcow2'],
  zlib: ['-O', 'qcow2', '-c'],
  zstd: ['-O', 'qcow2', '-c', '-o', 'compression_type=zstd'],
  raw: ['-O', 'raw'],
}

/** What one stream took. */
interface StreamFigures {
  readonly seconds: number
  /** Most bytes resident at once, shared pages of the program included. */
  readonly resident: number
  readonly scratch: number
  readonly streamBytes: number
}

/** Runs the benchmark with the arguments that follow `bench stream`. */
export async function benchStream(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      gib: { type: 'string', default: '2' },
      size: { type: 'string', default: '1024' },
      from: { type: 'string', default: 'qcow2' },
      to: { type: 'string', default: kinds.join() },
      dir: { type: 'string', default: tmpdir() },
    },
  })
  const [from, to] = [parseKinds(values.from), parseKinds(values.to)]
  ensureCli()
  const disk = { gib: Number(values.gib), size: Number(values.size) }
  await withFolder('bench', (folder) => streamAll(folder, disk, { from, to }), values.dir)
}

function parseKinds(text: string): readonly Kind[] {
  return text.split(',').map((word) => {
    const kind = kinds.find((name) => name === word)
    if (kind === undefined) throw new Error(`'${word}' is none of ${kinds.join(', ')}`)
    return kind
  })
}

async function streamAll(
  folder: string,
  { gib, size }: { readonly gib: number; readonly size: number },
  { from, to }: { readonly from: readonly Kind[]; readonly to: readonly Kind[] },
): Promise<void> {
  writeDisk(join(folder, 'disk.raw'), gib, size)
  const bare = await residentOf(spawn(process.execPath, ['-e', 'setTimeout(() => {}, 300)'], { stdio: 'ignore' }))
  // What the first run of a program leaves for the next is not part of a stream.
  const [program, ...first] = ours.command
  mustSucceed('ours', run(program, [...first, 'convert', '-O', 'qcow2', '-c', '/dev/null', '-'], folder))
  console.log(`${size} GiB with ${gib} GiB of data, through pipes; Node ${process.version} alone ${mib(bare.resident)}`)
  for (const source of from) {
    if (source !== 'raw') {
      const args = ['convert', ...writing[source], '-f', 'raw', 'disk.raw', `disk.${source}`]
      mustSucceed('the reference', run(reference.command[0], args, folder))
    }
    for (const target of to) {
      const sized = source === 'raw' && target !== 'raw' ? ['-o', `size=${size}G`] : []
      const figures = await stream(folder, source, [...writing[target], ...sized])
      report(`${source} to ${target}`, figures, bare.resident)
    }
  }
}

/** Data in pieces of 1 MiB, each with noise and with text, spread over the whole disk; the rest is a hole. */
function writeDisk(path: string, gib: number, size: number): void {
  const file = openSync(path, 'w')
  const count = (gib * GiB) / sliceBytes
  const piece = new Uint8Array(sliceBytes)
  for (let i = 0; i < count; i++) {
    crypto.getRandomValues(piece.subarray(0, 65536))
    for (let at = 65536; at < sliceBytes; at += 65536) piece.copyWithin(at, 0, 32768)
    writeSync(file, piece, 0, sliceBytes, i * Math.floor((size * GiB) / count / sliceBytes) * sliceBytes)
  }
  // The last byte makes the disk as long as it is.
  writeSync(file, new Uint8Array(1), 0, 1, size * GiB - 1)
  closeSync(file)
}

async function stream(folder: string, source: Kind, target: readonly string[]): Promise<StreamFigures> {
  const scratchFolder = join(folder, 'scratch')
  mkdirSync(scratchFolder, { recursive: true })
  const start = performance.now()
  const format = source === 'raw' ? 'raw' : 'qcow2'
  const command = [...ours.command, 'convert', '-f', format, ...target, '-', '-']
  // What Node itself calls a pipe to a child is a socket.
  const line = `cat ${join(folder, `disk.${source}`)} | sh -c 'echo $$ >&3; exec "$0" "$@"' ${command.join(' ')} | wc -c`
  const shell = spawn('bash', ['-o', 'pipefail', '-c', line], {
    cwd: scratchFolder,
    env: { ...process.env, TMPDIR: scratchFolder },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  const [counted, pid] = [textOf(shell.stdio[1]), textOf(shell.stdio[3])]
  const { resident, written } = await residentOf(shell, pid)
  const left = readdirSync(scratchFolder).reduce((sum, name) => sum + statSync(join(scratchFolder, name)).size, 0)
  const seconds = (performance.now() - start) / 1000
  return { seconds, resident, scratch: Math.max(left, written), streamBytes: Number(counted()) }
}

/** What has come from a pipe so far. */
function textOf(pipe: unknown): () => string {
  let text = ''
  if (pipe instanceof Readable) pipe.on('data', (bytes: Uint8Array) => (text += bytes.toString()))
  return () => text
}

/**
 * Most bytes that a process had in memory, and bytes that it wrote to disk, when `child` has ended well.
 *
 * @param pid - the number of the process, where that is not `child` itself; nothing before it has begun
 */
async function residentOf(
  child: ChildProcess,
  pid = () => String(child.pid),
): Promise<{ readonly resident: number; readonly written: number }> {
  let [resident, written] = [0, 0]
  const timer = setInterval(() => {
    resident = Math.max(resident, field(pid().trim(), 'status', 'VmHWM') * 1024)
    written = Math.max(written, field(pid().trim(), 'io', 'write_bytes'))
  }, 10)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`)
  return { resident, written }
}

/** A number from a file of /proc; 0 where the process has not begun or has just ended. */
function field(pid: string, file: string, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  } catch {
    // The mark seen last stands.
    return 0
  }
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function report(what: string, { seconds, resident, scratch, streamBytes }: StreamFigures, bare: number): void {
  const memory = `peak memory ${mib(resident)}, ${mib(resident - bare)} above Node's own, scratch ${scratch} bytes`
  console.log(`${what.padEnd(15)} ${memory}, ${seconds.toFixed(0)} s, stream ${(streamBytes / GiB).toFixed(2)} GiB`)
}
