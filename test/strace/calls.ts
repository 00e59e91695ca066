/** Watches a process and gives the system calls on one file, in a form in which two programs can be compared. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../scripts/lib/workspace.ts'

const traced = 'openat,close,fcntl,fdatasync,fallocate,ftruncate,lseek,pread64,pwrite64,preadv,pwritev,dup,dup2,dup3'

/** Flags that each program sets in its own way and that mean nothing for files. */
const meaningless = ['O_CLOEXEC', 'O_NONBLOCK', 'O_LARGEFILE']

/**
 * The calls on `filename` that change it, lock it or make it durable, and how it was opened for that.
 *
 * @param command - program and arguments; runs in `folder`
 */
export function callsOn(filename: string, command: readonly string[], folder: string): string[] {
  const log = join(folder, 'strace.log')
  const outcome = run('strace', ['-f', '-o', log, '-e', `trace=${traced}`, ...command], folder)
  if (outcome.code !== 0) throw new Error(`${command.join(' ')}: ${outcome.stderr}`)
  const calls: string[] = []
  let descriptor: string | undefined
  for (const line of finished(readFileSync(log, 'latin1'))) {
    const [, name = '', args = '', result = ''] = /^\d+ +(\w+)\((.*)\) += (.*)$/.exec(line) ?? []
    if (name === 'openat' && args.includes(`"${filename}"`)) {
      // A look at the name, before it is opened for good.
      if (args.includes('O_RDONLY')) continue
      descriptor = result
      calls.push(`open ${flagsOf(args)}`)
    } else if (descriptor !== undefined && args.split(', ')[0] === descriptor) {
      if (name === 'close') descriptor = undefined
      else calls.push(...comparable(name, args))
    }
  }
  return calls
}

/** Lines with the two halves of a call that was interrupted by another thread's put together. */
function* finished(text: string): Generator<string> {
  const begun = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    if (rest.endsWith('<unfinished ...>')) begun.set(thread, line.slice(0, -'<unfinished ...>'.length).trimEnd())
    else if (resumed !== null) yield `${begun.get(thread) ?? ''}${resumed[1] ?? ''}`
    else yield line
  }
}

function flagsOf(args: string): string {
  const flags = (args.split(', ')[2] ?? '').split('|')
  return flags.filter((flag) => !meaningless.includes(flag)).join('|')
}

function comparable(name: string, args: string): string[] {
  const words = args.split(', ')
  switch (name) {
    case 'fcntl':
      return lockCall(args)
    case 'pwrite64':
    case 'pread64':
      // Probes for the alignment are each program's own affair.
      return name === 'pwrite64' ? [`write ${words.at(-2)} at ${words.at(-1)}`] : []
    case 'pwritev': {
      const bytes = [...args.matchAll(/iov_len=(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0)
      return [`write ${bytes} at ${words.at(-1)}`]
    }
    case 'fallocate':
    case 'ftruncate':
    case 'fdatasync':
      return [[name, ...words.slice(1)].join(' ')]
    default:
      return []
  }
}

/** Locks taken, and bytes asked about; giving back is left out: closing does it as well. */
function lockCall(args: string): string[] {
  const start = /l_start=(\d+)/.exec(args)?.[1]
  if (start === undefined || start === '0') return []
  if (args.includes('F_OFD_SETLK')) return args.includes('F_RDLCK') ? [`lock ${start}`] : []
  return args.includes('F_OFD_GETLK') ? [`ask ${start}`] : []
}
