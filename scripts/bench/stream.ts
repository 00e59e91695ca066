/**
 * `pnpm bench stream [--gib N] [--size GIB] [--dir FOLDER]`: a disk of 1 TiB with N GiB of data (default 2) through
 * `convert - -`. To raw, every byte of the disk goes through the pipe.
 *
 * Both ends are real pipes. Prints peak memory, of that what is the process's own, scratch bytes (what appeared in the
 * folder for temporary files, or was written to disk by the process), and time; beside it the reference, through files.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureCli, mustSucceed, ours, reference, run, withFolder } from '../lib/workspace.ts'

const GiB = 2 ** 30
const sliceBytes = 2 ** 20

/** What one stream took. */
interface StreamFigures {
  readonly seconds: number
  /** Most bytes resident at once, shared pages of the program included. */
  readonly resident: number
  /** Most bytes of memory of its own at once. */
  readonly own: number
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
      dir: { type: 'string', default: tmpdir() },
    },
  })
  ensureCli()
  await withFolder('bench', (folder) => streamAll(folder, Number(values.gib), Number(values.size)), values.dir)
}

async function streamAll(folder: string, gib: number, size: number): Promise<void> {
  const path = join(folder, 'disk.raw')
  writeDisk(path, gib, size)
  const made = await timed(() => convert(folder, '-f', 'raw', '-O', 'qcow2', path, join(folder, 'disk.qcow2')))
  console.log(`${size} GiB with ${gib} GiB of data, through pipes; the reference through files: raw to qcow2 ${made}`)
  const packed = await timed(() =>
    convert(folder, '-c', '-f', 'raw', '-O', 'qcow2', path, join(folder, 'packed.qcow2')),
  )
  console.log(`the same with -c: ${packed}`)
  for (const source of ['disk.qcow2', 'packed.qcow2']) {
    for (const target of [
      ['-O', 'qcow2'],
      ['-O', 'qcow2', '-c'],
      ['-O', 'raw'],
    ]) {
      report(`${source} ${target.join(' ')}`, await stream(folder, source, target))
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

async function convert(cwd: string, ...args: readonly string[]): Promise<void> {
  const [program, ...first] = reference.command
  mustSucceed('the reference', run(program, [...first, 'convert', ...args], cwd))
}

async function timed(work: () => Promise<void>): Promise<string> {
  const start = performance.now()
  await work()
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}

async function stream(folder: string, source: string, target: readonly string[]): Promise<StreamFigures> {
  const scratchFolder = join(folder, 'scratch')
  mkdirSync(scratchFolder, { recursive: true })
  const [program, ...first] = ours.command
  const start = performance.now()
  const cat = spawn('cat', [join(folder, source)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const child = spawn(program, [...first, 'convert', '-f', 'qcow2', ...target, '-', '-'], {
    cwd: scratchFolder,
    env: { ...process.env, TMPDIR: scratchFolder },
    stdio: [cat.stdout, 'pipe', 'inherit'],
  })
  let [streamBytes, resident, own, written] = [0, 0, 0, 0]
  child.stdout?.on('data', (bytes: Uint8Array) => {
    streamBytes += bytes.length
  })
  const timer = setInterval(() => {
    resident = Math.max(resident, field(child.pid, 'status', 'VmHWM') * 1024)
    own = Math.max(own, field(child.pid, 'status', 'RssAnon') * 1024)
    written = Math.max(written, field(child.pid, 'io', 'write_bytes'))
  }, 10)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${source} ${target.join(' ')} ended with ${code}`)
  const left = readdirSync(scratchFolder).reduce((sum, name) => sum + statSync(join(scratchFolder, name)).size, 0)
  return { seconds: (performance.now() - start) / 1000, resident, own, scratch: Math.max(left, written), streamBytes }
}

/** A number from a file of /proc; 0 where the process has just ended. */
function field(pid: number | undefined, file: string, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  } catch {
    // The mark seen last stands.
    return 0
  }
}

function report(what: string, { seconds, resident, own, scratch, streamBytes }: StreamFigures): void {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  const memory = `peak memory ${mib(resident)}, its own ${mib(own)}, scratch ${scratch} bytes`
  console.log(`${what.padEnd(26)} ${seconds.toFixed(1)} s, ${memory}, stream ${(streamBytes / GiB).toFixed(2)} GiB`)
}
