/** The tidy rules: each takes files and gives findings, one line each, empty where all is well. */
import { packageFolders, type SourceFile } from './files.ts'
import { errorMessages, hasLogic, reexportedModules } from './syntax.ts'

const isCode = (path: string) => /\.(ts|mts|tsx|mjs|js)$/.test(path)
const isPackageSource = (path: string) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path)
const isTest = (path: string) => /(^|\/)tests?\//.test(path)

/** Files that the rule "every file with logic has a test of its name" lets pass, each with its reason. */
export type Exceptions = Readonly<Record<string, string>>

/** Where the test of `path` must stand. A driver's `driver.ts` is wiring only: the contract suite is its test. */
export function twinOf(path: string): string {
  const twin = path.replace('/src/', '/test/').replace(/\.ts$/, '.test.ts')
  return twin.replace(/^(packages\/(?:driver|format)-[^/]+\/test)\/driver\.test\.ts$/, '$1/contract.test.ts')
}

/** Sources with logic but without a test of their name; exceptions that except nothing are findings too. */
export function missingTests(files: readonly SourceFile[], exceptions: Exceptions): string[] {
  const paths = new Set(files.map(({ path }) => path))
  const used = new Set<string>()
  const findings: string[] = []
  for (const file of files) {
    if (!isPackageSource(file.path) || paths.has(twinOf(file.path)) || !hasLogic(file)) continue
    const exception = Object.keys(exceptions).find(
      (key) => key === file.path || (key.endsWith('/') && file.path.startsWith(key)),
    )
    if (exception === undefined) findings.push(`${file.path}: no ${twinOf(file.path)}`)
    else used.add(exception)
  }
  const idle = Object.keys(exceptions).filter((key) => !used.has(key))
  return [...findings, ...idle.map((key) => `exception for ${key} excepts nothing: strike it off`)]
}

/** Code files over `linesMax` lines. */
export function longFiles(files: readonly SourceFile[], linesMax: number): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1
    return isCode(path) && lines > linesMax ? [`${path}: ${lines} lines`] : []
  })
}

/** Promises in comments that no issue keeps. One that names its issue, as in `(#12)`, may stand. */
export function loosePromises(files: readonly SourceFile[]): string[] {
  // Spelled apart, so that this file does not find itself.
  const promise = new RegExp(`\\b(${'TO'}${'DO'}(?!\\(#\\d+\\))|${'FIX'}${'ME'}|${'X'}${'XX'}:)`)
  return linesThat(
    files.filter(({ path }) => isCode(path)),
    (line) => promise.test(line),
  )
}

/** Tests that are switched off, or that switch off all others; `skipIf` with a reason is fine. */
export function switchedOffTests(files: readonly SourceFile[], exceptions: Exceptions): string[] {
  const code = files.filter(({ path }) => isCode(path))
  const found = (file: SourceFile) => linesThat([file], (line) => /\b(it|test|describe)\.(skip|todo|only)\b/.test(line))
  const idle = Object.keys(exceptions).filter(
    (key) => !code.some((file) => file.path === key && found(file).length > 0),
  )
  return [
    ...code.filter(({ path }) => !(path in exceptions)).flatMap(found),
    ...idle.map((key) => `exception for ${key} excepts nothing: strike it off`),
  ]
}

/** Packages without a README, whose README shows no code by line `codeLineMax`, or runs past `linesMax` lines. */
export function poorReadmes(files: readonly SourceFile[], codeLineMax: number, linesMax: number): string[] {
  return packageFolders(files).flatMap((folder) => {
    const readme = files.find(({ path }) => path === `${folder}/README.md`)
    if (readme === undefined) return [`${folder}: no README.md`]
    const lines = readme.text.split('\n')
    const code = lines.findIndex((line) => line.startsWith('```')) + 1
    const findings = code === 0 || code > codeLineMax ? [`${readme.path}: no code by line ${codeLineMax}`] : []
    return lines.length - 1 > linesMax ? [...findings, `${readme.path}: ${lines.length - 1} lines`] : findings
  })
}

/** Packages that hand on another package's symbols as their own. */
export function borrowedExports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isPackageSource(path))
    .flatMap((file) =>
      reexportedModules(file)
        .filter((module) => !module.startsWith('.'))
        .map((module) => `${file.path}: re-exports ${module}`),
    )
}

/** Messages in the sources that no test and no golden file contains. */
export function untestedMessages(files: readonly SourceFile[]): string[] {
  const proofs = files.filter(({ path }) => isTest(path) && !path.startsWith('test/tidy')).map(({ text }) => text)
  const plain = (text: string) => text.replaceAll('\\', '')
  const all = plain(proofs.join('\n'))
  return files
    .filter(({ path }) => isPackageSource(path) || /^apps\/[^/]+\/src\//.test(path))
    .flatMap((file) =>
      errorMessages(file).flatMap((parts) => {
        const longest = parts.reduce((a, b) => (b.length > a.length ? b : a), '')
        return longest.length < 4 || all.includes(plain(longest)) ? [] : [`${file.path}: "${longest}"`]
      }),
    )
}

function linesThat(files: readonly SourceFile[], match: (line: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (match(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  )
}
