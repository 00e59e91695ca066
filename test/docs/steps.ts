/** Takes the files out of a document that shows whole files, step by step. */

/** One block of a document that is a file: ```` ```ts src/index.ts ````. */
export interface FileBlock {
  /** Number of the step whose heading stands above it. */
  readonly step: number
  /** Name of the file, as it stands beside the language. */
  readonly path: string
  readonly text: string
}

/** Every block of `document` that names a file, in order. Steps are headings `## Step n: …`; what stands before is step 0. */
export function fileBlocks(document: string): FileBlock[] {
  return [...document.matchAll(/^(`{3,})\w+ (\S+)\n(.*?)^\1$/gms)].map((match) => ({
    step: Number([...document.slice(0, match.index).matchAll(/^## Step (\d+)/gm)].at(-1)?.[1] ?? 0),
    path: match[2]!,
    text: match[3]!,
  }))
}

/** The files as they are after `step`: later blocks replace earlier ones. */
export function filesAfter(blocks: readonly FileBlock[], step: number): Map<string, string> {
  return new Map(blocks.filter((block) => block.step <= step).map(({ path, text }) => [path, text]))
}
