/** `check` by the reference: many images in one shell, two of them side by side. */

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from './verdict.ts'

/** One run of the reference's `check`. */
export interface Run {
  /** File name in the folder. */
  readonly image: string
  readonly repair: boolean
  /** Once more, after a repair. */
  readonly again?: boolean
}

/** Exit status of a reference that was ended after 20 s: what it prints about garbage may take minutes. */
export const outOfTime = 124

/** Runs of one image follow each other; images are shared out between two shells. */
export async function checkByTheirs(folder: string, runs: readonly (readonly Run[])[]): Promise<Verdict[][]> {
  const shells = [0, 1].map((half) => runShell(folder, half, scriptFor(runs.filter((_, at) => at % 2 === half).flat())))
  await Promise.all(shells)
  return runs.map((ofImage) => ofImage.map((run) => readVerdict(folder, run)))
}

/** Where a run leaves its output. */
function outputOf({ image, repair, again = false }: Run): string {
  return `${image}.${repair ? 'repair' : again ? 'again' : 'check'}`
}

function scriptFor(runs: readonly Run[]): string {
  const lines = runs.map((run) => {
    const output = outputOf(run)
    const options = run.repair ? '-r all ' : ''
    // A reference that never ends, or takes all memory, is a verdict of its own.
    const command = `timeout 20 qemu-img check --output=json ${options}-f qcow2 ${run.image}`
    return `${command} >${output}.out 2>${output}.err; echo $? >${output}.code`
  })
  return ['ulimit -c 0', 'PATH=/usr/bin:/bin', ...lines, ''].join('\n')
}

function runShell(folder: string, number: number, script: string): Promise<void> {
  const path = join(folder, `run${number}.sh`)
  writeFileSync(path, script)
  return new Promise((resolve, reject) => {
    const shell = spawn('sh', [path], { cwd: folder, stdio: 'ignore' })
    shell.on('error', reject)
    shell.on('close', () => resolve())
  })
}

function readVerdict(folder: string, run: Run): Verdict {
  const read = (kind: string): string => readFileSync(join(folder, `${outputOf(run)}.${kind}`), 'utf8')
  return { code: Number(read('code')), counts: countsOf(read('out')), lines: linesOf(read('err')) }
}

function linesOf(text: string): string[] {
  // The reference forgets the line's end behind this hint.
  const hint = "run 'qemu-img check -r' on the image file to fix."
  const lines = text.replaceAll(hint, `${hint}\n`).split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function countsOf(text: string): Record<string, number> {
  if (text === '') return {}
  const members = Object.entries(JSON.parse(text) as Record<string, number | string>)
  return Object.fromEntries(
    members.filter((member): member is [string, number] => typeof member[1] === 'number' && member[1] !== 0),
  )
}
