/** The image that a command makes: removed again where the command is interrupted, unless it was there before. */

import { existsSync, lstatSync, realpathSync, statSync, unlinkSync } from 'node:fs'
import { hasHelpOption, isValidOptionList, parseOptionList, protocolPrefix } from '@blocklayer/block-core'

/** How a target is known to the command. */
export interface TargetNames {
  /** As typed. */
  readonly target: string
  /** Files that are made with it: an external data file. */
  readonly others?: readonly string[]
  /** Nothing is made: the target has to be there. */
  readonly exists?: boolean
}

/** Remembers which files were there before a command, and puts things in order after it was interrupted. */
export class NewTarget {
  readonly #target: string
  /** Files that were not there. */
  readonly #missing: readonly string[]
  readonly #wasThere: boolean
  /** What the target was like, where it was there. */
  readonly #before: string | undefined
  #begun = false

  constructor({ target, others = [], exists = false }: TargetNames) {
    this.#target = target
    const paths = [target, ...others].map(hostPath).filter((path) => path !== undefined)
    this.#missing = exists ? [] : paths.filter((path) => !existsSync(path))
    const path = hostPath(target)
    this.#wasThere = exists || path === undefined || existsSync(path)
    this.#before = path === undefined ? undefined : stateOf(path)
  }

  /** From now on the target holds a part of what it is to hold. */
  begin(): void {
    this.#begun = true
  }

  /** Removes what was made. @returns what has become of the target */
  giveUp(): string {
    const made = this.#missing.filter((path) => existsSync(path))
    const left = made.filter((path) => !removeFile(path))
    if (this.#wasThere) return this.#fateOfOld()
    if (left.length > 0) return `'${left.join("', '")}' is left, incomplete`
    return `'${this.#target}' was ${made.length > 0 || this.#begun ? 'removed' : 'not made'}`
  }

  /** Making an image empties what had its name, and removes it where that fails: what is there now tells. */
  #fateOfOld(): string {
    const path = hostPath(this.#target)
    const now = path === undefined ? undefined : stateOf(path)
    if (this.#before !== undefined && now === undefined) return `'${this.#target}' was there before and is gone`
    if (this.#begun || now !== this.#before) return `'${this.#target}' was there before and is left, incomplete`
    return untouched
  }
}

/** Changes with every change of a file; `undefined` where there is none that could be looked at. */
function stateOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs}`
  } catch (error) {
    // Too long a name, a loop of links, a folder that is not ours: whoever makes the image finds the words for it.
    if ((error as { syscall?: unknown }).syscall === undefined) throw error
    return undefined
  }
}

/** The external data file that creation options name; they have been judged before, or will be. */
export function dataFiles(options: string | undefined): readonly string[] {
  if (options === undefined || !isValidOptionList(options) || hasHelpOption(options)) return []
  const name = parseOptionList(options).get('data_file')
  return typeof name === 'string' ? [name] : []
}

const untouched = 'nothing was written'

/** Host path of an image's name; `undefined` for what is no file. */
function hostPath(name: string): string | undefined {
  const prefix = protocolPrefix(name)
  if (prefix === undefined) return name
  return prefix === 'file' ? name.slice('file:'.length) : undefined
}

/** Removes a file, wherever its name leads. @returns whether it is gone */
function removeFile(path: string): boolean {
  try {
    const file = realpathSync(path)
    if (!lstatSync(file).isFile()) return false
    unlinkSync(file)
    return true
  } catch (error) {
    // What the system does not let us remove is told as left.
    if ((error as { syscall?: unknown }).syscall === undefined) throw error
    return false
  }
}
