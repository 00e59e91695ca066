/** Command lines from a person: with editing, a history, and completion of commands and their options. */

import { createInterface, type Interface } from 'node:readline'
import { commands } from '@blocklayer/qemu-io'

/** Lines from the terminal. */
export class EditedLines {
  readonly #prompt: string
  readonly #interface: Interface
  readonly #lines: string[] = []
  #waiting: ((line: string | undefined) => void) | undefined
  #isClosed = false

  constructor(prompt: string) {
    this.#prompt = prompt
    this.#interface = createInterface({ input: process.stdin, output: process.stdout, prompt, completer: completeLine })
    this.#interface.on('line', (line) => this.#deliver(line))
    this.#interface.on('close', () => {
      this.#isClosed = true
      this.#deliver(undefined)
    })
    // Without this, the line editor would keep the keys that end a program from ending it.
    this.#interface.on('SIGINT', () => {
      this.close()
      process.kill(process.pid, 'SIGINT')
    })
  }

  /** Asks for the next line; `undefined` when there are no more. */
  next(): Promise<string | undefined> {
    const line = this.#lines.shift()
    if (line !== undefined) return Promise.resolve(line)
    if (this.#isClosed) return Promise.resolve(undefined)
    this.#interface.setPrompt(this.#prompt)
    this.#interface.prompt()
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  /** Gives the terminal back as it was. */
  close(): void {
    if (!this.#isClosed) this.#interface.close()
  }

  #deliver(line: string | undefined): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) waiting(line)
    else if (line !== undefined) this.#lines.push(line)
  }
}

/**
 * What may stand where the line ends: a command, or an option of the command that stands there.
 *
 * @returns the candidates, and the word that they complete
 */
export function completeLine(line: string): [candidates: string[], word: string] {
  const words = line.split(' ')
  const word = words.at(-1) ?? ''
  const [first = ''] = words
  const candidates = words.length === 1 || first === 'help' || first === '?' ? names() : optionsOf(first)
  return [candidates.filter((candidate) => candidate.startsWith(word)).map((candidate) => `${candidate} `), word]
}

function names(): string[] {
  return commands.map(({ name }) => name)
}

function optionsOf(name: string): string[] {
  const command = commands.find((candidate) => candidate.name === name || candidate.alias === name)
  return (command?.options ?? []).map(({ letter }) => `-${letter}`)
}
