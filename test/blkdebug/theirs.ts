// What the reference's blkdebug does with a case, as its qemu-io tells it.
import { run } from '../../scripts/lib/workspace.ts'
import type { Request } from './case.ts'

/** The outcome of a case that ended the reference's process. */
export const died = 'died'

/** Like `ourOutcome`, by the reference. */
export function theirOutcome(name: string, requests: readonly Request[]): string | string[] {
  // The length, printed after each request, parts their outcomes: a request that went well may print nothing.
  const commands = requests.flatMap((request) => ['-c', commandFor(request), '-c', 'length'])
  const last = requests.length === 0 ? ['-c', 'quit'] : commands
  const { code, stdout, stderr } = run('qemu-io', ['-t', 'writeback', '-d', 'unmap', ...last, name])
  if (code >= 128) return died
  if (stdout === '' && code !== 0) return messageAfter(stderr, name)
  return stdout
    .split(/^1 MiB\n/m)
    .slice(0, requests.length)
    .map((text) => /failed: (.*)/.exec(text)?.[1] ?? 'ok')
}

function messageAfter(stderr: string, name: string): string {
  const start = `qemu-io: can't open device ${name}: `
  return (stderr.startsWith(start) ? stderr.slice(start.length) : stderr).replace(/\n$/, '')
}

function commandFor({ kind, offset, bytes }: Request): string {
  if (kind === 'status') return `alloc ${offset} ${bytes}`
  if (kind === 'zero') return `write -q -z -u ${offset} ${bytes}`
  if (kind === 'compressed') return `write -q -c ${offset} ${bytes}`
  if (kind === 'fua') return `write -q -f ${offset} ${bytes}`
  return `${kind} -q ${offset} ${bytes}`
}
