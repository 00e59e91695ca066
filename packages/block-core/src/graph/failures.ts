/** Failures of steps that must all be tried, so that nothing stays open; none of them is lost. */

import type { Diagnostic } from './graph-core.ts'

/** Where failures go that the caller cannot be told of, because it is told of another one. */
export interface DiagnosticSink {
  readonly diagnostic: (diagnostic: Diagnostic) => void
}

/** Collects failures. */
export class Failures {
  readonly #errors: unknown[] = []

  /** Runs a step and keeps what it throws. */
  async attempt(step: () => void | Promise<void> | undefined): Promise<void> {
    try {
      await step()
    } catch (error) {
      this.#errors.push(error)
    }
  }

  /** Throws the first failure, if there is one; the others become diagnostics, unless they say the same. */
  throwFirst(sink: DiagnosticSink): void {
    if (this.#errors.length === 0) return
    const [first] = this.#errors
    this.#tell(sink, new Set([textOf(first)]))
    throw first
  }

  /** Makes all failures diagnostics; what several say is said once. */
  report(sink: DiagnosticSink): void {
    this.#tell(sink, new Set())
  }

  #tell(sink: DiagnosticSink, told: Set<string>): void {
    for (const text of this.#errors.splice(0).map(textOf)) {
      // A disk that fails a format's flush fails that of the file beneath, too: more lines would tell no more.
      if (!told.has(text)) sink.diagnostic({ kind: 'error', text })
      told.add(text)
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
