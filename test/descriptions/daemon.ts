/** The reference's storage daemon, asked in its own protocol. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'

/** A daemon that runs until it is told to quit. */
export class StorageDaemon implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface

  private constructor(folder: string, args: readonly string[]) {
    const monitor = ['--chardev', 'stdio,id=m', '--monitor', 'chardev=m']
    this.#process = spawn('qemu-storage-daemon', [...monitor, ...args], { cwd: folder })
    this.#reader = createInterface({ input: this.#process.stdout })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  /** Starts one in `folder` with node descriptions, as its `--blockdev` takes them. */
  static async start(folder: string, nodes: readonly object[]): Promise<StorageDaemon> {
    const args = nodes.flatMap((node) => ['--blockdev', JSON.stringify(node)])
    const daemon = new StorageDaemon(folder, args)
    await daemon.#line()
    await daemon.ask('qmp_capabilities')
    return daemon
  }

  /** What a command returns. @throws Error with the daemon's words */
  async ask(execute: string, more: Record<string, unknown> = {}): Promise<unknown> {
    const message = Object.keys(more).length === 0 ? { execute } : { execute, arguments: more }
    this.#process.stdin.write(`${JSON.stringify(message)}\n`)
    for (;;) {
      const answer = JSON.parse(await this.#line()) as { return?: unknown; error?: { desc: string }; event?: string }
      if (answer.event !== undefined) continue
      if (answer.error !== undefined) throw new Error(answer.error.desc)
      return answer.return
    }
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`the storage daemon ended: ${this.#process.stderr.read() ?? ''}`)
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.close()
    const ended = this.#process.exitCode !== null || this.#process.signalCode !== null
    const gone = ended ? undefined : new Promise((resolve) => this.#process.once('exit', resolve))
    // Its way to end: it closes its nodes.
    this.#process.kill('SIGTERM')
    await gone
  }
}
