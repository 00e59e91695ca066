/** `--object`: definitions of secrets, checked as the reference checks them. */

import { readFileSync } from 'node:fs'
import { BlockError, type FlatOptions, parseJsonFilename, parseKeyValue } from '@blocklayer/block-core'
import { Done, Failure } from '../failure.ts'
import type { Terminal } from '../terminal.ts'

const secretProperties = [
  'data=<string>',
  'file=<string>',
  'format=<QCryptoSecretFormat>',
  'iv=<string>',
  'keyid=<string>',
]

/** Definition of an object, by property. */
type Definition = Map<string, string>

/**
 * The objects of one command line. Only secrets exist so far, and only to be checked: no driver here decrypts, and each
 * says so itself when it meets an encrypted image.
 */
export class ObjectStore {
  readonly #terminal: Terminal
  readonly #ids = new Set<string>()

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /**
   * Adds what one `--object` argument defines, `secret,id=s0,data=…` or the same as JSON.
   *
   * @throws Failure with the reference's message; Done where the argument asked for help, which was printed
   */
  add(text: string): void {
    const definition = parseDefinition(text)
    const type = definition.get('qom-type')
    definition.delete('qom-type')
    if (type === 'help' || type === '?') this.#help('List of user creatable objects:', ['secret'])
    if (type === undefined) throw new Failure("Parameter 'qom-type' is missing")
    if (type !== 'secret') throw new Failure(`Parameter 'qom-type' does not accept value '${type}'`)
    if (definition.has('help') || definition.has('?')) this.#help('secret options:', secretProperties)
    this.#addSecret(definition)
  }

  #help(title: string, lines: readonly string[]): never {
    this.#terminal.out(`${title}\n${lines.map((line) => `  ${line}\n`).join('')}`)
    throw new Done()
  }

  #addSecret(definition: Definition): void {
    const take = (name: string): string | undefined => {
      const value = definition.get(name)
      definition.delete(name)
      return value
    }
    const id = take('id')
    const [data, file] = [take('data'), take('file')]
    const format = take('format') ?? 'raw'
    if (id === undefined) throw new Failure("Parameter 'id' is missing")
    if (format !== 'raw' && format !== 'base64')
      throw new Failure(`Parameter 'format' does not accept value '${format}'`)
    if (definition.has('keyid') || definition.has('iv')) throw new Failure('Encrypted secrets are not implemented')
    const [unknown] = definition.keys()
    if (unknown !== undefined) throw new Failure(`Parameter '${unknown}' is unexpected`)
    if (!/^[A-Za-z][A-Za-z0-9\-._]*$/.test(id)) {
      throw new Failure("Parameter 'id' expects an identifier", {
        hint: "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n",
      })
    }
    if (this.#ids.has(id)) {
      throw new Failure(`attempt to add duplicate property '${id}' to object (type 'container')`)
    }
    checkEncoding(secretBytes(data, file), format)
    this.#ids.add(id)
  }
}

function parseDefinition(text: string): Definition {
  const options = text.startsWith('{') ? parseJson(text) : parseKeyValue(text, { impliedKey: 'qom-type', onDeprecated })
  return new Map([...options].map(([key, value]) => [key, String(value)]))
}

/** Where option strings take a word alone as a boolean, object definitions take only `help`. */
function onDeprecated(message: string): void {
  const word = /'([^']*)'/.exec(message)?.[1] ?? ''
  if (word !== 'help' && word !== '?') throw new Failure(`Expected '=' after parameter '${word}'`)
}

function parseJson(text: string): FlatOptions {
  try {
    return parseJsonFilename(`json:${text}`)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new Failure(error.message.replace('Could not parse the JSON options: ', ''), { cause: error })
  }
}

function secretBytes(data: string | undefined, file: string | undefined): Uint8Array {
  if (data !== undefined && file !== undefined) throw new Failure("'file' and 'data' are mutually exclusive")
  if (data !== undefined) return new TextEncoder().encode(data)
  if (file === undefined) throw new Failure("Either 'file' or 'data' must be provided")
  try {
    return readFileSync(file)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    const reason = code === 'ENOENT' ? BlockError.fromErrno('ENOENT').message : String((error as Error).message)
    throw new Failure(`Unable to read ${file}: Failed to open file “${file}”: ${reason}`, { cause: error })
  }
}

function checkEncoding(bytes: Uint8Array, format: 'raw' | 'base64'): void {
  if (format === 'raw') return
  const text = new TextDecoder().decode(bytes)
  if (/[^A-Za-z0-9+/=\n\r]/.test(text)) throw new Failure('Base64 data contains invalid characters')
}
