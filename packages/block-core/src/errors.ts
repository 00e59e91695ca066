/** What the world can do to us: one error class with an errno code, and qemu's own words. */

/** The errno codes a block operation can end with, spelled as in `errno(3)`. */
export type Errno =
  | 'EPERM'
  | 'ENOENT'
  | 'EINTR'
  | 'EIO'
  | 'ENXIO'
  | 'E2BIG'
  | 'EBADF'
  | 'EAGAIN'
  | 'ENOMEM'
  | 'EACCES'
  | 'EBUSY'
  | 'EEXIST'
  | 'ENODEV'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EINVAL'
  | 'ENFILE'
  | 'EMFILE'
  | 'ETXTBSY'
  | 'EFBIG'
  | 'ENOSPC'
  | 'ESPIPE'
  | 'EROFS'
  | 'EPIPE'
  | 'EDOM'
  | 'ERANGE'
  | 'ENAMETOOLONG'
  | 'ENOSYS'
  | 'ELOOP'
  | 'ENOTSUP'
  | 'ETIMEDOUT'
  | 'ESTALE'
  | 'EDQUOT'
  | 'ENOMEDIUM'
  | 'ECANCELED'

/** Linux number and C library text of each code, in one table so that they cannot disagree. */
const errnoTable: { readonly [code in Errno]: readonly [number, string] } = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  EINTR: [4, 'Interrupted system call'],
  EIO: [5, 'Input/output error'],
  ENXIO: [6, 'No such device or address'],
  E2BIG: [7, 'Argument list too long'],
  EBADF: [9, 'Bad file descriptor'],
  EAGAIN: [11, 'Resource temporarily unavailable'],
  ENOMEM: [12, 'Cannot allocate memory'],
  EACCES: [13, 'Permission denied'],
  EBUSY: [16, 'Device or resource busy'],
  EEXIST: [17, 'File exists'],
  ENODEV: [19, 'No such device'],
  ENOTDIR: [20, 'Not a directory'],
  EISDIR: [21, 'Is a directory'],
  EINVAL: [22, 'Invalid argument'],
  ENFILE: [23, 'Too many open files in system'],
  EMFILE: [24, 'Too many open files'],
  ETXTBSY: [26, 'Text file busy'],
  EFBIG: [27, 'File too large'],
  ENOSPC: [28, 'No space left on device'],
  ESPIPE: [29, 'Illegal seek'],
  EROFS: [30, 'Read-only file system'],
  EPIPE: [32, 'Broken pipe'],
  EDOM: [33, 'Numerical argument out of domain'],
  ERANGE: [34, 'Numerical result out of range'],
  ENAMETOOLONG: [36, 'File name too long'],
  ENOSYS: [38, 'Function not implemented'],
  ELOOP: [40, 'Too many levels of symbolic links'],
  ENOTSUP: [95, 'Operation not supported'],
  ETIMEDOUT: [110, 'Connection timed out'],
  ESTALE: [116, 'Stale file handle'],
  EDQUOT: [122, 'Disk quota exceeded'],
  ENOMEDIUM: [123, 'No medium found'],
  ECANCELED: [125, 'Operation canceled'],
}

/** Text of an errno code as `strerror(3)` of the GNU C library gives it. */
export function errnoText(code: Errno): string {
  return errnoTable[code][1]
}

/** Linux number of an errno code, positive. */
export function errnoNumber(code: Errno): number {
  return errnoTable[code][0]
}

/** The code with this Linux number, or `undefined` where the table has none. */
export function errnoFromNumber(number: number): Errno | undefined {
  for (const [code, [value]] of Object.entries(errnoTable)) if (value === number) return code as Errno
  return undefined
}

/** Whether `code` is one that this library knows. */
export function isErrno(code: unknown): code is Errno {
  return typeof code === 'string' && Object.hasOwn(errnoTable, code)
}

/** Options of a `BlockError`. */
export interface BlockErrorOptions {
  /** What this error was made from, kept for whoever debugs. */
  readonly cause?: unknown
  /** Further lines that qemu prints under the message, without a program prefix (QEMU: `error_append_hint`). */
  readonly hint?: string | undefined
  /** What a program may want to know beyond the code; never printed. Who sets it says what is in it. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/**
 * A failure that the world can cause: an errno `code` for programs and the message as qemu prints it for people.
 *
 * @see QEMU 7.2 util/error.c
 */
export class BlockError extends Error {
  override readonly name = 'BlockError'
  readonly code: Errno
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  /**
   * @param code - errno code, stable
   * @param message - the whole message, without the program's name
   */
  constructor(code: Errno, message: string, options: BlockErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details
  }

  /** By name, not by identity: a driver by a third party may come with a copy of this module of its own. */
  static override [Symbol.hasInstance](value: unknown): value is BlockError {
    return value !== null && typeof value === 'object' && (value as { name?: unknown }).name === 'BlockError'
  }

  /** `message: <text of code>` (QEMU: `error_setg_errno`). */
  static withErrno(code: Errno, message: string, options: BlockErrorOptions = {}): BlockError {
    return new BlockError(code, `${message}: ${errnoText(code)}`, options)
  }

  /** An error that only has a code: its message is the code's text. */
  static fromErrno(code: Errno, options: BlockErrorOptions = {}): BlockError {
    return new BlockError(code, errnoText(code), options)
  }

  /** Same code, hint and details, one layer up (QEMU: `error_prepend`). */
  prepend(prefix: string): BlockError {
    return new BlockError(this.code, prefix + this.message, { cause: this, hint: this.hint, details: this.details })
  }

  /** `EIO` gives `Input/output error`: what a caller prints that only keeps the code (QEMU: `strerror(-ret)`). */
  get errnoText(): string {
    return errnoText(this.code)
  }
}

/** `error` as a `BlockError`: itself, or `EIO` around something foreign, so that no failure loses its code. */
export function toBlockError(error: unknown): BlockError {
  if (error instanceof BlockError) return error
  const code = (error as { code?: unknown } | null)?.code
  if (isErrno(code)) return BlockError.fromErrno(code, { cause: error })
  throw error
}

/** A failure that only a bug of ours can cause. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws `AssertionError` unless `condition` holds; made before a table is written and after it is read. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
