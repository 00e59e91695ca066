/** Finds the examples in the documentation, and type-checks and runs them as they stand. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { root, type SourceFile } from '../tidy/files.ts'
import { withPrelude } from './prelude.ts'

/** One TypeScript block of a document or docstring. */
export interface Example {
  /** Document and line of the block's first line of code: `README.md:7`. */
  readonly place: string
  /** Name of a file that does not exist, beside the document: imports are resolved from there. */
  readonly file: string
  readonly code: string
  /** Why it cannot be run, as its first line says: `// Not run: it needs …`. */
  readonly notRun?: string
}

/** Every block marked `ts` in the documents. */
export function examplesIn(documents: readonly SourceFile[]): Example[] {
  return documents.flatMap(({ path, text: whole }) => {
    // What stands in a longer fence is the text of a file; blank lines in its place keep the numbers of the others.
    const text = whole.replace(/^(`{4,}).*?^\1$/gms, (block) => block.replace(/[^\n]/g, ''))
    return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match, i) => ({
      place: `${path}:${lineOf(text, match.index) + 1}`,
      file: join(root, dirname(path), `example-${i}.ts`),
      code: match[1]!,
      ...reasonIn(match[1]!),
    }))
  })
}

/**
 * Every `@example` of a docstring in `sources`. What an example uses without importing it is what every reader has: the
 * names of the file it stands in, a graph, an open disk (see `prelude.ts`).
 */
export function docstringExamples(sources: readonly SourceFile[]): Example[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^ *\* @example\n((?: *\*(?!\/).*\n)+)/gm)].map((match, i) => {
      const lines = match[1]!.split('\n').map((line) => line.replace(/^ *\* ?/, ''))
      const end = lines.findIndex((line) => line.startsWith('@'))
      const code = `${lines
        .slice(0, end < 0 ? undefined : end)
        .join('\n')
        .trim()}\n`
      return {
        place: `${path}:${lineOf(text, match.index) + 1}`,
        file: join(root, dirname(path), `example-${i}-of-${path.replace(/\W/g, '-')}.ts`),
        code: withPrelude(code, { path: join(root, path), exported: exportedNames(text) }),
        ...reasonIn(code),
      }
    }),
  )
}

function exportedNames(text: string): string[] {
  return [...text.matchAll(/^export (?:async )?(?:function\*?|class|const) (\w+)/gm)].map((match) => match[1]!)
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

function reasonIn(code: string): { readonly notRun?: string } {
  const reason = /^\/\/ Not run: (.+)/.exec(code)?.[1]
  return reason === undefined ? {} : { notRun: reason }
}

/** What TypeScript has to say against the examples, under the project's own options. */
export function typeErrors(examples: readonly Example[]): string[] {
  const read = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const project = ts.parseJsonConfigFileContent(read.config, ts.sys, root)
  // An example may open a disk and leave the rest to its reader.
  const options = { ...project.options, noUnusedLocals: false }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  const codeOf = (name: string) => examples.find(({ file }) => file === name)?.code
  // Otherwise nothing is looked for in folders that exist in a document only.
  delete host.directoryExists
  host.fileExists = (name) => codeOf(name) !== undefined || fileExists(name)
  host.getSourceFile = (name, target) => {
    const code = codeOf(name)
    return code === undefined ? getSourceFile(name, target) : ts.createSourceFile(name, code, target)
  }
  const program = ts.createProgram(
    examples.map(({ file }) => file),
    options,
    host,
  )
  return examples.flatMap(({ place, file }) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  })
}

/** Runs an example in `folder`, against sources; gives what it printed, and fails as it does. */
export function runExample(example: Example, folder: string): { code: number | null; output: string } {
  const js = ts.transpileModule(example.code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  const home = homeOf(example)
  mkdirSync(home, { recursive: true })
  const place = mkdtempSync(join(home, 'example-'))
  try {
    writeFileSync(join(place, 'example.mjs'), js.outputText)
    const args = ['--conditions=@blocklayer/source', join(place, 'example.mjs')]
    const run = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    return { code: run.status, output: run.stdout + run.stderr }
  } finally {
    rmSync(place, { recursive: true })
  }
}

/** Below node_modules, where the packages are found by their names; an example driver also finds itself in its folder. */
function homeOf({ place }: Example): string {
  const folder = /^examples\/[^/]+\//.exec(place)?.[0]
  return join(root, folder === undefined ? 'node_modules/.cache' : join(folder, 'dist'))
}
