/** Compares a transcript with golden output and shows the difference as a unified diff. */

/** Names over the two sides of a diff. */
export interface DiffNames {
  readonly expected: string
  readonly found: string
}

/** One line of an edit script: kept, only expected, or only found. */
interface Edit {
  readonly mark: ' ' | '-' | '+'
  readonly line: string
}

/** Unchanged lines shown around a change. */
const context = 3

/**
 * A unified diff that turns `expected` into `found`, with three lines of context; `undefined` where they are equal.
 *
 * @see GNU diffutils manual, "Detailed Description of Unified Format"
 */
export function unifiedDiff(expected: string, found: string, names: DiffNames): string | undefined {
  if (expected === found) return undefined
  const edits = editScript(splitLines(expected), splitLines(found))
  return `--- ${names.expected}\n+++ ${names.found}\n${hunks(edits).join('')}`
}

/** Lines without their ends; a missing last end is told as a diff does. */
function splitLines(text: string): string[] {
  if (text === '') return []
  return text.endsWith('\n') ? text.slice(0, -1).split('\n') : `${text}\n\\ No newline at end of file`.split('\n')
}

/** The shortest script, by longest common subsequence: transcripts have hundreds of lines, so a full table is small. */
function editScript(a: readonly string[], b: readonly string[]): Edit[] {
  const width = b.length + 1
  // common[i * width + j]: length of the longest common subsequence of a[i…] and b[j…].
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      edits.push({ mark: ' ', line: a[i] ?? '' })
      i++
      j++
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      edits.push({ mark: '-', line: a[i++] ?? '' })
    } else {
      edits.push({ mark: '+', line: b[j++] ?? '' })
    }
  }
  return edits
}

/** Groups changes that are at most twice the context apart. */
function hunks(edits: readonly Edit[]): string[] {
  const result: string[] = []
  let [expectedLine, foundLine, done] = [1, 1, 0]
  const skipTo = (end: number): void => {
    for (; done < end; done++) {
      if (edits[done]?.mark !== '+') expectedLine++
      if (edits[done]?.mark !== '-') foundLine++
    }
  }
  for (let first = nextChange(edits, 0); first < edits.length; ) {
    let end = first + 1
    for (let next = nextChange(edits, end); next < edits.length && next - end <= 2 * context; ) {
      end = next + 1
      next = nextChange(edits, end)
    }
    const start = Math.max(done, first - context)
    const stop = Math.min(edits.length, end + context)
    skipTo(start)
    const body = edits.slice(start, stop)
    const expected = range(expectedLine, body.filter(({ mark }) => mark !== '+').length)
    const found = range(foundLine, body.filter(({ mark }) => mark !== '-').length)
    result.push(`@@ -${expected} +${found} @@\n${body.map(({ mark, line }) => `${mark}${line}\n`).join('')}`)
    skipTo(stop)
    first = nextChange(edits, stop)
  }
  return result
}

function nextChange(edits: readonly Edit[], from: number): number {
  let i = from
  while (i < edits.length && edits[i]?.mark === ' ') i++
  return i
}

/** An empty side names the line before it, as diff does. */
function range(line: number, count: number): string {
  if (count === 1) return `${line}`
  return `${count === 0 ? line - 1 : line},${count}`
}
