/** The reference's side of a history: one shell script plays all of it, in few processes; then its answers are read. */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Action, Session } from './actions.ts'
import { type AllocationRun, type ByteRun, type MapRun, mergeRuns } from './content.ts'
import { creationOptions, type Layout } from './layout.ts'

/** A step that is to be played and looked at. */
export interface ScriptedStep {
  readonly number: number
  readonly action: Action
  /** What ours shows afterwards: the reference compares. */
  readonly content: readonly ByteRun[]
  readonly length: number
  /** Whether `qemu-img map` is to be asked. */
  readonly mapped: boolean
  /** Content of the backing files, where the step may have changed them. */
  readonly backings?: readonly {
    readonly name: string
    readonly format: string
    readonly content: readonly ByteRun[]
  }[]
  /** Copies all files into `theirs<checkpoint>` afterwards, and looks at ours in `ours<checkpoint>`. */
  readonly checkpoint?: number
}

/** What the reference did in a step. */
export interface TheirStep {
  /** Complaints; empty: it succeeded. */
  readonly said: string
  /** What its process printed on stderr, in this step or in others. */
  readonly errors: readonly string[]
  /** Where the content differs from ours; empty: nowhere. */
  readonly differences: readonly string[]
  readonly allocation: readonly AllocationRun[]
  readonly map: readonly MapRun[] | undefined
  readonly backingDifferences: readonly string[]
  /** What it finds in our image. */
  readonly ofOurs:
    | { readonly check: string; readonly code: number; readonly differences: readonly string[] }
    | undefined
}

/** Seconds; the reference can take minutes to change the refcount width of large clusters. */
const imgSeconds = 20

const quoted = (word: string): string => `'${word}'`

/** Builds the script, line by line; guest requests that follow each other share a process. */
class Script {
  readonly lines: string[] = ['ulimit -c 0', 'PATH=/usr/bin:/bin', 'mkdir theirs', 'cd theirs']
  #commands: string[] = []
  #session: Session = { unmap: true, tightCaches: false }
  #count = 0

  /** A command of qemu-io. */
  io(...commands: readonly string[]): void {
    this.#commands.push(...commands)
  }

  /** Ends the process that is to be. */
  endSession(): void {
    if (this.#commands.length === 0) return
    const { unmap, lazyRefcounts } = this.#session
    const lazy = lazyRefcounts === undefined ? '' : `,lazy-refcounts=${lazyRefcounts ? 'on' : 'off'}`
    const image = `driver=qcow2,file.filename=image,discard=${unmap ? 'unmap' : 'ignore'}${lazy}`
    const words = this.#commands.map((command) => `-c ${quoted(command)}`).join(' ')
    this.lines.push(`qemu-io -t unsafe --image-opts ${image} ${words} >../io${this.#count} 2>../io${this.#count}.err`)
    this.#count++
    this.#commands = []
  }

  /** A process of qemu-img; what it says goes into `output`. */
  img(words: string, output: string): void {
    this.endSession()
    this.lines.push(
      `timeout ${imgSeconds} qemu-img ${words} >../${output} 2>../${output}.err; echo $? >../${output}.code`,
    )
  }

  /** Ends it where a compressed cluster has been written: what is packed into a freed one damages others (differences.md). */
  beforeCompressed(): void {
    if (this.#commands.some((command) => command.startsWith('write -q -c'))) this.endSession()
  }

  reopen(session: Session): void {
    this.endSession()
    this.#session = session
  }

  get sessions(): number {
    return this.#count
  }
}

/** Plays the steps in `folder`, which has ours' copies, and gives what became of each. */
export async function playTheirs(folder: string, layout: Layout, steps: readonly ScriptedStep[]): Promise<TheirStep[]> {
  const script = new Script()
  addCreation(script, layout)
  for (const step of steps) addStep(script, step)
  script.endSession()
  const path = join(folder, 'script.sh')
  writeFileSync(path, `${script.lines.join('\n')}\n`)
  await runShell(path, folder)
  const said = new Map<string, string[]>()
  for (let session = 0; session < script.sessions; session++) readSession(folder, session, said)
  return steps.map((step) => readStep(folder, step, said))
}

function addCreation(script: Script, layout: Layout): void {
  const over = (backing: string | undefined): string => {
    const below = layout.backings.find(({ name }) => name === backing)
    return below === undefined ? '' : `-b ${below.name} -F ${below.format}`
  }
  for (const { name, format, length, writes, backing } of layout.backings) {
    script.lines.push(`qemu-img create -q -f ${format} ${over(backing)} ${name} ${length}`)
    const words = writes.map(({ offset, bytes, pattern }) => `-c 'write -q -P ${pattern} ${offset} ${bytes}'`)
    script.lines.push(`qemu-io -t unsafe -f ${format} ${words.join(' ')} ${name}`)
  }
  const options = Object.entries(creationOptions(layout)).map(([name, value]) => `${name}=${value}`)
  script.lines.push(
    `qemu-img create -q -f qcow2 -o ${options.join(',')} ${over(layout.backing)} image ${layout.length}`,
  )
}

function addStep(script: Script, step: ScriptedStep): void {
  const { number, action, length, content } = step
  const words = imgWords(action, step)
  if (action.kind === 'reopen') script.reopen(action)
  else if (words !== undefined) script.img(words, `img${number}`)
  else {
    if (action.kind === 'compressed') script.beforeCompressed()
    script.io(`help @said${number}`, ...ioCommands(action))
  }
  script.io(`help @content${number}`, ...contentCommands(content, length), `help @map${number}`, 'map', 'help @end')
  if (step.mapped) script.img('map --output=json -f qcow2 image', `map${number}`)
  for (const { name, format, content: held } of step.backings ?? []) {
    script.endSession()
    const reads = contentCommands(
      held,
      held.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    const commands = reads.map((command) => `-c ${quoted(command)}`).join(' ')
    script.lines.push(`qemu-io -r -f ${format} ${commands} ${name} >../${name}at${number} 2>&1`)
  }
  if (step.checkpoint !== undefined) addCheckpoint(script, step, step.checkpoint)
}

/** Both sides' images are closed. */
function addCheckpoint(script: Script, { content, length }: ScriptedStep, checkpoint: number): void {
  script.endSession()
  const reads = contentCommands(content, length).map((command) => `-c ${quoted(command)}`)
  script.lines.push(
    `cp -r . ../theirs${checkpoint}`,
    `cd ../ours${checkpoint}`,
    `qemu-img check -f qcow2 image >../check${checkpoint} 2>&1; echo $? >../check${checkpoint}.code`,
    `qemu-io -r -f qcow2 ${reads.join(' ')} image >../read${checkpoint} 2>&1`,
    'cd ../theirs',
  )
}

/** Reads all, and a sector more, which must fail: so the length is right, too. */
function contentCommands(content: readonly ByteRun[], length: number): string[] {
  const reads = content.map(({ start, bytes, value }) => `read -q -P ${value} ${start} ${bytes}`)
  return [...reads, `read -q ${length} 512`]
}

const pastEnd = 'read failed: Input/output error'

/** What is not as it should be in the answer to `contentCommands`. */
function contentDifferences(lines: readonly string[]): string[] {
  if (lines.at(-1) !== pastEnd) return [...lines, 'the disk is longer than ours']
  return lines.slice(0, -1)
}

function ioCommands(action: Action): string[] {
  switch (action.kind) {
    case 'write':
      return [`write -q -P ${action.pattern} ${action.offset} ${action.bytes}`]
    case 'zeroes':
      return [`write -q -z ${action.unmap ? '-u ' : ''}${action.offset} ${action.bytes}`]
    case 'discard':
      return [`discard -q ${action.offset} ${action.bytes}`]
    case 'compressed':
      return [`write -q -c -P ${action.pattern} ${action.offset} ${action.bytes}`]
    case 'truncate':
      return [`truncate -m ${action.preallocation} ${action.length}`]
    case 'flush':
      return ['flush']
    default:
      throw new RangeError(`${action.kind} is no guest request`)
  }
}

/** Whether the reference takes a step in a process of its own. */
export function isImgStep(action: Action): boolean {
  return imgWords(action, { backings: [] }) !== undefined
}

/** Words of qemu-img; `undefined` for what qemu-io does. */
function imgWords(action: Action, { backings }: Pick<ScriptedStep, 'backings'>): string | undefined {
  switch (action.kind) {
    case 'snapshot':
      return `snapshot -q -c ${action.name} image`
    case 'apply':
      return `snapshot -q -a ${action.name} image`
    case 'delete':
      return `snapshot -q -d ${action.name} image`
    case 'amend':
      return `amend -q --force -f qcow2 -o ${action.option}=${action.value} image`
    case 'commit':
      return 'commit -q -t unsafe -f qcow2 image'
    case 'rebase': {
      const format = backings?.find(({ name }) => name === action.backing)?.format
      return action.backing === undefined
        ? `rebase -u -f qcow2 -b '' image`
        : `rebase -u -f qcow2 -F ${format} -b ${action.backing} image`
    }
    case 'bitmap add':
      return `bitmap --add ${action.disabled ? '--disable ' : ''}-g ${action.granularity} -f qcow2 image ${action.name}`
    case 'bitmap merge':
      return `bitmap --merge ${action.source} -f qcow2 image ${action.name}`
    case 'bitmap remove':
    case 'bitmap clear':
    case 'bitmap enable':
    case 'bitmap disable':
      return `bitmap --${action.kind.slice(7)} -f qcow2 image ${action.name}`
    default:
      return undefined
  }
}

function runShell(path: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const shell = spawn('sh', [path], { cwd: folder, stdio: 'ignore' })
    shell.on('error', reject)
    shell.on('close', () => resolve())
  })
}

/** Sorts what a process of qemu-io said by the marks between its commands. */
function readSession(folder: string, session: number, said: Map<string, string[]>): void {
  const name = join(folder, `io${session}`)
  let lines: string[] = []
  for (const line of linesOf(name)) {
    const mark = /^command @(\w+) not found$/.exec(line)?.[1]
    if (mark === undefined) lines.push(line)
    else {
      lines = []
      said.set(mark, lines)
    }
    if (mark?.startsWith('content')) said.set(`errors${mark.slice(7)}`, linesOf(`${name}.err`))
  }
}

function linesOf(path: string): string[] {
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []
}

function readStep(folder: string, step: ScriptedStep, said: Map<string, string[]>): TheirStep {
  const { number, checkpoint } = step
  const code = linesOf(join(folder, `img${number}.code`))[0]
  const failed = code !== undefined && code !== '0'
  const complaints = failed ? [`exit code ${code}`, ...linesOf(join(folder, `img${number}.err`))] : []
  const backings = step.backings ?? []
  return {
    said: [...complaints, ...(said.get(`said${number}`) ?? [])].join('\n'),
    errors: said.get(`errors${number}`) ?? [],
    differences: contentDifferences(said.get(`content${number}`) ?? ['qemu-io said nothing']),
    allocation: mergeRuns((said.get(`map${number}`) ?? []).map(allocationRun)),
    map: step.mapped ? readMap(join(folder, `map${number}`)) : undefined,
    backingDifferences: backings.flatMap(({ name }) =>
      contentDifferences(linesOf(join(folder, `${name}at${number}`))).map((line) => `${name}: ${line}`),
    ),
    ofOurs:
      checkpoint === undefined
        ? undefined
        : {
            check: linesOf(join(folder, `check${checkpoint}`)).join('\n'),
            code: Number(linesOf(join(folder, `check${checkpoint}.code`))[0]),
            differences: contentDifferences(linesOf(join(folder, `read${checkpoint}`))),
          },
  }
}

function allocationRun(line: string): AllocationRun {
  const match = /\(0x([0-9a-f]+)\) bytes +(not )?allocated at offset .*\(0x([0-9a-f]+)\)/.exec(line)
  if (match === null) throw new RangeError(`no line of a map: ${line}`)
  return {
    start: Number.parseInt(match[3]!, 16),
    bytes: Number.parseInt(match[1]!, 16),
    allocated: match[2] === undefined,
  }
}

function readMap(path: string): MapRun[] {
  const rows = JSON.parse(readFileSync(path, 'utf8') || '[]') as (MapRun & { length: number })[]
  return rows.map(({ start, length, depth, present, zero, data }) => ({
    start,
    bytes: length,
    depth,
    present,
    zero,
    data,
  }))
}
