/** What a test works with: its folder, the tools, and the transcript that becomes its golden output. */

import { copyFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { chain, type Filter } from '../filters/filter.ts'
import { filterForCommand, type Program } from '../filters/for-command.ts'
import { imageFormatFilter } from '../filters/image-format.ts'
import { filterNodeNames } from '../filters/node-names.ts'
import { programNameFilter } from '../filters/program-name.ts'
import { testDirFilter } from '../filters/test-dir.ts'
import { TestFailure } from './test-failure.ts'
import { type Outcome, runProcess } from './run-process.ts'
import { programNameOf, type ToolSet } from './tool-set.ts'

/** Where and with what a test runs. */
export interface ContextOptions {
  /** Scratch folder, absolute and the test's own. */
  readonly folder: string
  /** Image format under test. */
  readonly format: string
  readonly tools: ToolSet
  /** Milliseconds for one run of a tool. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** A test's hands. Every run of a tool is written into the transcript, filtered. */
export class TestContext {
  readonly folder: string
  readonly format: string
  readonly #options: ContextOptions
  readonly #lines: string[] = []
  readonly #everywhere: Filter

  constructor(options: ContextOptions) {
    this.#options = options
    this.folder = options.folder
    this.format = options.format
    // The folder first: its name may contain the format's.
    this.#everywhere = chain(testDirFilter(options.folder), filterNodeNames, imageFormatFilter(options.format))
  }

  /** What the test printed so far; what is compared with the golden file. */
  get transcript(): string {
    return this.#lines.map((line) => `${line}\n`).join('')
  }

  /** Path of an image of this test: `t.<format>`, with `.<part>` behind it if one is given. */
  image(part?: string): string {
    return join(this.folder, part === undefined ? `t.${this.format}` : `t.${this.format}.${part}`)
  }

  /** Writes a text file into the scratch folder and shows it in the transcript. @returns its path */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    this.print(`$ cat TEST_DIR/${name}`)
    this.print(text.trimEnd())
    return path
  }

  /** Copies a file within the scratch folder. */
  copy(from: string, to: string): void {
    copyFileSync(from, to)
    this.print(`$ cp TEST_DIR/${basename(from)} TEST_DIR/${basename(to)}`)
  }

  /** Writes text of the test's own into the transcript. */
  print(text: string): void {
    this.#lines.push(...this.#everywhere(text).split('\n'))
  }

  /** Begins a part of the test. */
  section(title: string): void {
    this.print(`${this.#lines.length === 0 ? '' : '\n'}=== ${title} ===\n`)
  }

  /** Length of a file in bytes. */
  fileLength(path: string): number {
    return statSync(path).size
  }

  /** Runs qemu-img; command line, output and exit status go into the transcript. @throws TestFailure at a timeout */
  qemuImg(...args: readonly string[]): Promise<Outcome> {
    return this.#runVisibly('qemu-img', args)
  }

  /** Runs qemu-io, likewise. */
  qemuIo(...args: readonly string[]): Promise<Outcome> {
    return this.#runVisibly('qemu-io', args)
  }

  /** Runs a tool without a trace in the transcript. */
  async runSilently(program: Program, ...args: readonly string[]): Promise<Outcome> {
    const { folder: cwd, timeout, signal, tools } = this.#options
    const outcome = await runProcess(tools.commands[program], args, { cwd, timeout, signal })
    if (outcome.status !== undefined) return outcome
    throw new TestFailure(`${this.#commandLine(program, args)}: did not end within ${timeout / 1000} s`)
  }

  /** Checks an image and prints only if something is wrong with it; formats that know no check pass. */
  async expectHealthy(image: string): Promise<void> {
    const { status } = await this.runSilently('qemu-img', 'check', '-f', this.format, image)
    // 63: the format has no check, and so nothing to find.
    if (status !== 0 && status !== 63) await this.qemuImg('check', '-f', this.format, image)
  }

  async #runVisibly(program: Program, args: readonly string[]): Promise<Outcome> {
    this.print(`$ ${this.#commandLine(program, args)}`)
    const outcome = await this.runSilently(program, ...args)
    const name = programNameFilter(programNameOf(this.#options.tools.commands[program]), program)
    const filter = chain(name, filterForCommand(program, args), this.#everywhere)
    this.#append(filter(outcome.stdout), '')
    // Marked, and always behind the results: which stream a line takes is part of the contract, but how the two mix is
    // up to buffers.
    this.#append(filter(outcome.stderr), '2> ')
    if (outcome.status !== 0) this.#lines.push(`exit status ${outcome.status}`)
    return outcome
  }

  #append(text: string, mark: string): void {
    if (text === '') return
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : `${text}\\ no newline`).split('\n')
    this.#lines.push(...lines.map((line) => mark + line))
  }

  #commandLine(program: Program, args: readonly string[]): string {
    return this.#everywhere([program, ...args].map(quoted).join(' '))
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
