/** Parts of one request in parallel, but not too many at once. */

/** Parts of a request that may be under way at a time. @see QEMU 7.2 block/qcow2.c: QCOW2_MAX_WORKERS */
const tasksMax = 8

/**
 * Runs tasks side by side and collects the first error.
 *
 * @see QEMU 7.2 block/aio_task.c
 */
export class TaskPool {
  #running = 0
  #failed = false
  #failure: unknown
  #wake: (() => void) | undefined

  /** Whether some task has failed: the caller need not start more. */
  get failed(): boolean {
    return this.#failed
  }

  /** Starts `task`, after waiting for a free place. */
  async start(task: () => Promise<void>): Promise<void> {
    while (this.#running >= tasksMax) await this.#oneEnds()
    this.#running++
    task().then(
      () => this.#end(),
      (error) => {
        if (!this.#failed) this.#failure = error
        this.#failed = true
        this.#end()
      },
    )
  }

  /** Waits for all tasks; throws what the first failed one threw. */
  async finish(): Promise<void> {
    while (this.#running > 0) await this.#oneEnds()
    if (this.#failed) throw this.#failure
  }

  #oneEnds(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #end(): void {
    this.#running--
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
