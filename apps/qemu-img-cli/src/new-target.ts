/** The image that a command makes: removed again where the command is interrupted, unless it was there before. */

import { existsSync, lstatSync, unlinkSync } from 'node:fs'
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
  #begun = false

  constructor({ target, others = [], exists = false }: TargetNames) {
    this.#target = target
    const paths = [target, ...others].map(hostPath).filter((path) => path !== undefined)
    this.#missing = exists ? [] : paths.filter((path) => !existsSync(path))
    const path = hostPath(target)
    this.#wasThere = exists || path === undefined || existsSync(path)
  }

  /** From now on the target holds a part of what it is to hold. */
  begin(): void {
    this.#begun = true
  }

  /** Removes what was made. @returns what has become of the target */
  giveUp(): string {
    const removed = this.#missing.filter(removeFile)
    if (this.#wasThere) return this.#begun ? `'${this.#target}' was there before and is left, incomplete` : untouched
    return removed.length > 0 || this.#begun ? `'${this.#target}' was removed` : untouched
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

/** @returns whether there was something to remove */
function removeFile(path: string): boolean {
  if (!existsSync(path) || !lstatSync(path).isFile()) return false
  unlinkSync(path)
  return true
}
