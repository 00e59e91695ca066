/** The system calls that Node does not offer, through koffi where it is installed; every caller has a plain fallback. */

import { statSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * Calls into the C library. Results are what the call returns, or the negative errno number.
 *
 * @see lseek(2), fallocate(2), fcntl(2), ioctl(2)
 */
export interface Libc {
  /** First byte at or after `offset` that is not in a hole; `-ENXIO` where only a hole follows. */
  seekData(fd: number, offset: number): number
  /** First byte at or after `offset` that is in a hole; the end of the file counts as one. */
  seekHole(fd: number, offset: number): number
  /** Length of the file or block device; moves the descriptor's position, which no request of ours looks at. */
  seekEnd(fd: number): number
  /** Moves the descriptor's position. */
  seekTo(fd: number, offset: number): number
  /** Blocks the event loop until it is done. */
  fallocate(fd: number, mode: number, offset: number, bytes: number): number
  /** The same on Node's thread pool. */
  fallocatePooled(fd: number, mode: number, offset: number, bytes: number): Promise<number>
  /** Sets or queries a one-byte open file description lock; see `lock.ts` for the record. */
  fcntl(fd: number, command: number, record: Uint8Array): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
  /** The same on Node's thread pool, for requests that take long. */
  ioctlPooled(fd: number, request: number, argument: Uint8Array): Promise<number>
  /** An ioctl whose argument is a number. */
  ioctlNumber(fd: number, request: number, argument: number): number
  /**
   * Fills `into` as far as the page cache can without waiting. Absent where the C library lacks `preadv2`.
   *
   * @see preadv2(2), RWF_NOWAIT
   */
  readonly readCached?: (fd: number, into: Uint8Array, offset: number) => number
  /** How far the buffer's first byte lies behind a page boundary in memory, 0 to 4095; only direct I/O cares. */
  pageOffset(buffer: Uint8Array): number
}

/** `fallocate` modes. */
export const FallocateModes: { readonly allocate: 0; readonly punchHole: 3; readonly zeroRange: 16 } = {
  allocate: 0,
  /** Keeps the length: the call knows no other way. */
  punchHole: 3,
  zeroRange: 16,
}

/** What loading gave: the calls, or the reason why there are none. */
export type LibcResult = { readonly libc: Libc } | { readonly libc: undefined; readonly reason: string }

const seekToWhence = 0
const seekEndWhence = 2
const seekDataWhence = 3
const seekHoleWhence = 4
const noWait = 8

/** 64-bit Linux, where `off_t` and `struct flock` have the layout that we pass. */
const knownArchitectures: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64', 'ppc64', 's390x']

/** A function of the C library, called at once or on the thread pool. */
export interface NativeFunction {
  (...args: readonly unknown[]): number | bigint
  async(...args: readonly unknown[]): void
}

/** What came of a call, or the negative errno number. */
type NativeResult = (value: number | bigint) => number

/** The part of koffi that we use; described here so that the types do not need the optional package. */
export interface Koffi {
  load(path: null): { func(signature: string): NativeFunction }
  errno(): number
  address(buffer: Uint8Array): bigint
}

let loaded: LibcResult | undefined

/** Loads the calls once per process. Never throws: without them everything works, with what README.md says is lost. */
export function loadLibc(): LibcResult {
  loaded ??= load()
  return loaded
}

/** The calls for a driver whose setting `nativeCalls` is `wanted`: `false` forbids them, as on a system without. */
export function nativeCalls(wanted: boolean | undefined): LibcResult {
  return wanted === false ? { libc: undefined, reason: 'switched off' } : loadLibc()
}

function load(): LibcResult {
  if (process.platform !== 'linux' || !knownArchitectures.includes(process.arch)) {
    return { libc: undefined, reason: `not available on ${process.platform} ${process.arch}` }
  }
  try {
    // Before Node 22 a link on the way to a module is not followed when the last thing looked at was a pipe or a socket,
    // as standard output often is; koffi then looks for its library beside the link.
    statSync('/')
    return { libc: bind(loadKoffi(createRequire(import.meta.url))) }
  } catch (error) {
    return { libc: undefined, reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) }
  }
}

/**
 * koffi's module for this platform, where it lies in a package of its own, is all that we need. What koffi puts around it
 * loads half of Node's library, which takes longer than a command that looks at one image.
 *
 * @param require - finds koffi
 * @throws what finding and loading throw
 */
export function loadKoffi(require: NodeJS.Require): Koffi {
  const fromKoffi = createRequire(require.resolve('koffi'))
  try {
    const native = fromKoffi(`@koromix/koffi-linux-${process.arch}`) as Partial<Koffi>
    if (['load', 'errno', 'address'].every((name) => typeof native[name as keyof Koffi] === 'function')) {
      return native as Koffi
    }
  } catch (error) {
    // Other versions, and other ways of installing, have it elsewhere: koffi knows.
    if ((error as { readonly code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
  }
  return require('koffi') as Koffi
}

function bind(koffi: Koffi): Libc {
  const library = koffi.load(null)
  const lseek = library.func('int64_t lseek(int fd, int64_t offset, int whence)')
  const fallocate = library.func('int fallocate(int fd, int mode, int64_t offset, int64_t bytes)')
  const fcntl = library.func('int fcntl(int fd, int command, void *record)')
  const ioctl = library.func('int ioctl(int fd, unsigned long request, void *argument)')
  const ioctlNumber = library.func('int ioctl(int fd, unsigned long request, int64_t argument)')
  // koffi gives what is past 2^53 as a bigint: a place that far out, which callers need not know to the byte.
  const result: NativeResult = (value) => (value < 0 ? -koffi.errno() : Number(value))
  const pooled = (call: NativeFunction, ...args: readonly unknown[]): Promise<number> => onPool(call, args, result)
  return {
    seekData: (fd, offset) => result(lseek(fd, offset, seekDataWhence)),
    seekHole: (fd, offset) => result(lseek(fd, offset, seekHoleWhence)),
    seekEnd: (fd) => result(lseek(fd, 0, seekEndWhence)),
    seekTo: (fd, offset) => result(lseek(fd, offset, seekToWhence)),
    fallocate: (fd, mode, offset, bytes) => retry(() => result(fallocate(fd, mode, offset, bytes))),
    fallocatePooled: (fd, mode, offset, bytes) => pooled(fallocate, fd, mode, offset, bytes),
    fcntl: (fd, command, record) => result(fcntl(fd, command, record)),
    ioctl: (fd, request, argument) => retry(() => result(ioctl(fd, request, argument))),
    ioctlPooled: (fd, request, argument) => pooled(ioctl, fd, request, argument),
    ioctlNumber: (fd, request, argument) => result(ioctlNumber(fd, request, argument)),
    pageOffset: (buffer) => Number(koffi.address(buffer) & 0xfffn),
    ...readCached(koffi, library, result),
  }
}

function readCached(koffi: Koffi, library: ReturnType<Koffi['load']>, result: NativeResult): Pick<Libc, 'readCached'> {
  let preadv2: NativeFunction
  try {
    preadv2 = library.func('int64_t preadv2(int fd, void *vector, int count, int64_t offset, int flags)')
  } catch {
    // Not every C library has it; reads then go to the pool, as they do for what is not in memory.
    return {}
  }
  const vector = new BigUint64Array(2)
  const bytes = new Uint8Array(vector.buffer)
  let length = 0
  return {
    readCached: (fd, into, offset) => {
      vector[0] = koffi.address(into)
      // Mostly the same as last time; making a bigint of it costs more than looking.
      if (into.length !== length) {
        length = into.length
        vector[1] = BigInt(length)
      }
      return result(preadv2(fd, bytes, 1, offset, noWait))
    },
  }
}

const eintr = 4

function retry(call: () => number): number {
  let value = call()
  while (value === -eintr) value = call()
  return value
}

function onPool(call: NativeFunction, args: readonly unknown[], result: NativeResult): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = (): void => call.async(...args, done)
    const done = (error: Error | null, value: number | bigint): void => {
      // The call's own errno, still: koffi restores it around the callback.
      const outcome = error ? 0 : result(value)
      if (error) reject(error)
      else if (outcome === -eintr) start()
      else resolve(outcome)
    }
    start()
  })
}
