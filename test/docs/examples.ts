/** Finds the examples in the documentation, and type-checks and runs them as they stand. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { root, type SourceFile } from '../tidy/files.ts'

/** One TypeScript block of a document. */
export interface Example {
  /** Document and line of the block's first line of code: `README.md:7`. */
  readonly place: string
  /** Name of a file that does not exist, beside the document: imports are resolved from there. */
  readonly file: string
  readonly code: string
}

/** Every block marked `ts` in the documents. */
export function examplesIn(documents: readonly SourceFile[]): Example[] {
  return documents.flatMap(({ path, text }) =>
    [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match, i) => ({
      place: `${path}:${text.slice(0, match.index).split('\n').length + 1}`,
      file: join(root, dirname(path), `example-${i}.ts`),
      code: match[1]!,
    })),
  )
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
  // Below node_modules, where the packages are found by their names.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  const place = mkdtempSync(join(root, 'node_modules/.cache/example-'))
  try {
    writeFileSync(join(place, 'example.mjs'), js.outputText)
    const args = ['--conditions=@blocklayer/source', join(place, 'example.mjs')]
    const run = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    return { code: run.status, output: run.stdout + run.stderr }
  } finally {
    rmSync(place, { recursive: true })
  }
}
