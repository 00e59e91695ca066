/** `--object`: definitions of secrets and throttle groups, checked as the reference checks them. */

import { BlockError, type FlatOptions, parseJsonFilename, parseKeyValue } from '@blocklayer/block-core'
import { type GroupLimits, takeLimits, throttleProperties } from './throttle-definition.ts'

/** What an `--object` argument led to. */
export type ObjectOutcome =
  | { readonly kind: 'defined' }
  /** It asked for help, which is to be printed; the program then ends. */
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string; readonly hint?: string }

/** Reads a file for `file=`. @throws BlockError with the errno code */
export type ReadFile = (path: string) => Uint8Array

const secretProperties = [
  'data=<string>',
  'file=<string>',
  'format=<QCryptoSecretFormat>',
  'iv=<string>',
  'keyid=<string>',
]

/** Stops reading a definition. */
class Rejection extends Error {
  override readonly name = 'Rejection'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** Makes a throttle group. @throws BlockError where its limits contradict each other */
export type MakeThrottleGroup = (id: string, limits: GroupLimits) => void

/**
 * The objects of one command line: secrets, which are only checked (no driver here decrypts, and each says so itself when
 * it meets an encrypted image), and throttle groups, which whoever runs the program makes.
 */
export class ObjectDefinitions {
  readonly #readFile: ReadFile
  readonly #makeThrottleGroup: MakeThrottleGroup
  readonly #ids = new Set<string>()

  constructor(readFile: ReadFile, makeThrottleGroup: MakeThrottleGroup = () => {}) {
    this.#readFile = readFile
    this.#makeThrottleGroup = makeThrottleGroup
  }

  /** Adds what one argument defines, `secret,id=s0,data=…` or the same as JSON. */
  add(text: string): ObjectOutcome {
    try {
      return this.#add(parseDefinition(text))
    } catch (error) {
      if (!(error instanceof Rejection || error instanceof BlockError)) throw error
      return { kind: 'failed', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
    }
  }

  #add(definition: Map<string, string>): ObjectOutcome {
    const type = definition.get('qom-type')
    definition.delete('qom-type')
    if (type === 'help' || type === '?') return help('List of user creatable objects:', ['secret', 'throttle-group'])
    if (type === undefined) throw new Rejection("Parameter 'qom-type' is missing")
    if (type === 'throttle-group') return this.#addThrottleGroup(definition)
    if (type !== 'secret') throw new Rejection(`Parameter 'qom-type' does not accept value '${type}'`)
    if (definition.has('help') || definition.has('?')) return help('secret options:', secretProperties)
    this.#addSecret(definition)
    return { kind: 'defined' }
  }

  #addThrottleGroup(definition: Map<string, string>): ObjectOutcome {
    if (definition.has('help') || definition.has('?')) return help('throttle-group options:', throttleProperties)
    const id = definition.get('id')
    definition.delete('id')
    if (id === undefined) throw new Rejection("Parameter 'id' is missing")
    const limits = takeLimits(definition, (message) => {
      throw new Rejection(message)
    })
    const [unknown] = definition.keys()
    if (unknown !== undefined) throw new Rejection(`Parameter '${unknown}' is unexpected`)
    this.#checkId(id)
    this.#makeThrottleGroup(id, limits)
    this.#ids.add(id)
    return { kind: 'defined' }
  }

  #addSecret(definition: Map<string, string>): void {
    const take = (name: string): string | undefined => {
      const value = definition.get(name)
      definition.delete(name)
      return value
    }
    const [id, data, file, format = 'raw'] = [take('id'), take('data'), take('file'), take('format')]
    if (id === undefined) throw new Rejection("Parameter 'id' is missing")
    if (format !== 'raw' && format !== 'base64') {
      throw new Rejection(`Parameter 'format' does not accept value '${format}'`)
    }
    const keyId = take('keyid')
    // Without a key it is the vector of nothing.
    take('iv')
    const [unknown] = definition.keys()
    if (unknown !== undefined) throw new Rejection(`Parameter '${unknown}' is unexpected`)
    this.#checkId(id)
    const bytes = this.#secretBytes(data, file)
    if (keyId !== undefined) {
      const isKnown = this.#ids.has(keyId)
      throw new Rejection(isKnown ? 'Encrypted secrets are not implemented' : `No secret with id '${keyId}'`)
    }
    if (format === 'base64' && /[^A-Za-z0-9+/=\n\r]/.test(new TextDecoder().decode(bytes))) {
      throw new Rejection('Base64 data contains invalid characters')
    }
    this.#ids.add(id)
  }

  #checkId(id: string): void {
    if (!/^[A-Za-z][A-Za-z0-9\-._]*$/.test(id)) {
      const hint = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."
      throw new Rejection("Parameter 'id' expects an identifier", hint)
    }
    if (this.#ids.has(id)) throw new Rejection(`attempt to add duplicate property '${id}' to object (type 'container')`)
  }

  #secretBytes(data: string | undefined, file: string | undefined): Uint8Array {
    if (data !== undefined && file !== undefined) throw new Rejection("'file' and 'data' are mutually exclusive")
    if (data !== undefined) return new TextEncoder().encode(data)
    if (file === undefined) throw new Rejection("Either 'file' or 'data' must be provided")
    try {
      return this.#readFile(file)
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      throw new Rejection(`Unable to read ${file}: Failed to open file “${file}”: ${error.errnoText}`)
    }
  }
}

function help(title: string, lines: readonly string[]): ObjectOutcome {
  return { kind: 'help', text: `${title}\n${lines.map((line) => `  ${line}\n`).join('')}` }
}

function parseDefinition(text: string): Map<string, string> {
  const options = text.startsWith('{') ? parseJson(text) : parseKeyValue(text, { impliedKey: 'qom-type', onDeprecated })
  return new Map([...options].map(([key, value]) => [key, String(value)]))
}

/** Where option strings take a word alone as a boolean, object definitions take only `help`. */
function onDeprecated(message: string): void {
  const word = /'([^']*)'/.exec(message)?.[1] ?? ''
  if (word !== 'help' && word !== '?') throw new Rejection(`Expected '=' after parameter '${word}'`)
}

function parseJson(text: string): FlatOptions {
  try {
    return parseJsonFilename(`json:${text}`)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new Rejection(error.message.replace('Could not parse the JSON options: ', ''))
  }
}
