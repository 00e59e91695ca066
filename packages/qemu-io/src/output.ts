/** Where commands print. */

/** Two outputs, as in C: results on `out`, complaints on `err`. Text need not be whole lines. */
export interface Output {
  out(text: string): void
  err(text: string): void
}

/** What was printed to an output that remembers. */
export interface Printed {
  readonly out: string
  readonly err: string
}

/** An output that remembers everything; `take` gives it and forgets it. */
export function recordingOutput(): Output & { take(): Printed } {
  let [out, err] = ['', '']
  return {
    out(text) {
      out += text
    },
    err(text) {
      err += text
    },
    take() {
      const printed = { out, err }
      out = err = ''
      return printed
    },
  }
}
