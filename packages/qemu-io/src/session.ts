/** A session: the image that is open, where commands print, and the requests that are outstanding. */

import { type BlockBackend, BlockError, type BlockGraph, type Diagnostic } from '@blocklayer/block-core'
import { CommandFailure, toldBy } from './failure.ts'
import type { Host } from './host.ts'
import type { OpenRequest } from './open-request.ts'
import { Outstanding } from './outstanding.ts'
import type { Output } from './output.ts'
import { humanReport, machineReport, type RequestReport } from './report.ts'

/** An image that is open, and what it lies in. */
export interface OpenedImage {
  readonly backend: BlockBackend
  /** For `reopen`; absent: that is refused. */
  readonly graph?: BlockGraph
  /** Closes the image and what was opened for it. */
  close(): Promise<void>
}

/**
 * Opens what `open` names.
 *
 * @param diagnostic - takes what drivers report by themselves
 * @throws BlockError in the words of the graph, without `can't open …`
 */
export type Opener = (request: OpenRequest, diagnostic: (message: Diagnostic) => void) => Promise<OpenedImage>

/** How a session is made. */
export interface SessionOptions {
  readonly output: Output
  /** Stands before messages; `qemu-io` by default. */
  readonly programName?: string
  /** An image that is open already; `finish` closes it. */
  readonly image?: OpenedImage
  /** For `open`; absent: that is refused. */
  readonly opener?: Opener
  /** Operands of `open` are lists of options. */
  readonly imageOpts?: boolean
  readonly host?: Host
}

/** How a request is reported: `-q` and `-C`. */
export interface ReportMode {
  readonly quiet: boolean
  readonly forPrograms: boolean
}

/** One user's session. Lines are run by `runLine`. */
export class Session {
  readonly programName: string
  readonly host: Host
  readonly imageOpts: boolean
  readonly outstanding: Outstanding = new Outstanding()
  /** `quit` was met: no more lines should be run. */
  ended = false
  readonly #output: Output
  readonly #opener: Opener | undefined
  #image: OpenedImage | undefined
  /** How many errors drivers have reported by themselves. */
  #errors = 0

  constructor(options: SessionOptions) {
    this.programName = options.programName ?? 'qemu-io'
    this.host = options.host ?? {}
    this.imageOpts = options.imageOpts === true
    this.#output = options.output
    this.#opener = options.opener
    this.#image = options.image
  }

  /** The image; `undefined` while none is open. */
  get image(): OpenedImage | undefined {
    return this.#image
  }

  out(text: string): void {
    if (text !== '') this.#output.out(text)
  }

  err(text: string): void {
    if (text !== '') this.#output.err(text)
  }

  /** `qemu-io: <message>` on `err`. */
  tell(message: string): void {
    this.err(`${this.programName}: ${message}\n`)
  }

  /** `qemu-io: warning: <message>` on `err`. */
  warn(message: string): void {
    this.tell(`warning: ${message}`)
  }

  /** Prints what a driver reports by itself; give it to the graph as `onDiagnostic`. */
  readonly diagnostic = ({ kind, text }: Diagnostic): void => {
    if (kind === 'error') this.#errors++
    if (kind === 'warning') this.warn(text)
    else if (kind === 'error') this.tell(text)
    // The reference prints its breakpoints where results go, and all other lines where complaints go.
    else if (/^blkdebug: (Suspended|Resuming) /.test(text)) this.out(`${text}\n`)
    else this.err(`${text}\n`)
  }

  /** Seconds from some fixed moment. */
  now(): number {
    return this.host.now?.() ?? performance.now() / 1000
  }

  /**
   * Waits for one request, and tells what ends meanwhile.
   *
   * @returns seconds that it took; `undefined` if it failed, which is printed as `<name> failed: <why>`
   */
  async timed(name: string, request: () => Promise<void>): Promise<number | undefined> {
    const start = this.now()
    try {
      await this.outstanding.during(request)
      return this.now() - start
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      this.out(`${name} failed: ${error.errnoText}\n`)
      return undefined
    }
  }

  /** Prints what was done. */
  report(request: RequestReport, mode: ReportMode): void {
    if (mode.quiet) return
    this.out(mode.forPrograms ? machineReport(request) : humanReport(request))
  }

  /** Opens an image. @throws CommandFailure, also where one is open already */
  async open(request: OpenRequest): Promise<void> {
    if (this.#image !== undefined) throw new CommandFailure({ told: "file open already, try 'help close'" })
    const opener = this.#opener
    if (opener === undefined) throw new CommandFailure({ told: "can't open: Operation not supported" })
    try {
      this.#image = await this.outstanding.during(() => opener(request, this.diagnostic))
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      const { path } = request
      const what = path === undefined ? "can't open: " : `can't open device ${path}: `
      throw toldBy(error, what)
    }
  }

  /**
   * Closes the image if one is open, when all its requests have ended. What fails then is no failure of the command, as in
   * the reference, but it is said: by the driver, which knows best, or else here.
   */
  async close(): Promise<void> {
    await this.outstanding.drain()
    const image = this.#image
    this.#image = undefined
    const before = this.#errors
    try {
      await image?.close()
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      if (this.#errors === before) this.tell(error.message)
    }
  }
}
