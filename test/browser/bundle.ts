/** Bundles a program for browsers as a page's author would, and runs it where there is nothing but what the web has. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'tsup'
import { root } from '../../scripts/lib/workspace.ts'

/** A program for a page: what it exports is the global `page`. */
export async function bundle(program: string, folder: string): Promise<string> {
  await build({
    config: false,
    silent: true,
    entry: { page: program },
    outDir: folder,
    outExtension: () => ({ js: '.js' }),
    format: 'iife',
    globalName: 'page',
    target: 'es2022',
    platform: 'browser',
    noExternal: [/.*/],
    // With its prefix a module of Node is not found. Without it one of npm's could be.
    removeNodeProtocol: false,
    esbuildOptions(options) {
      options.conditions = ['@blocklayer/source']
      options.nodePaths = [join(root, 'node_modules')]
    },
  })
  return readFileSync(join(folder, 'page.js'), 'utf8')
}

/** Every door of every package that is to run in browsers. */
export function doors(): string[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const {
      name,
      private: hidden,
      exports,
    } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
      readonly name: string
      readonly private?: boolean
      readonly exports: Readonly<Record<string, unknown>>
    }
    if (hidden === true || folder === 'driver-file') return []
    return Object.keys(exports).map((door) => name + door.slice(1))
  })
}

/** What pages have and we use, next to the language itself; nothing of Node's is in it. */
const webGlobals = [
  'AbortController',
  'AbortSignal',
  'Blob',
  'DOMException',
  'Event',
  'EventTarget',
  'MessageChannel',
  'ReadableStream',
  'TextDecoder',
  'TextEncoder',
  'TransformStream',
  'WritableStream',
  'clearTimeout',
  'crypto',
  'navigator',
  'performance',
  'queueMicrotask',
  'setTimeout',
  'structuredClone',
]

/** How the page's engine is. */
export interface Engine {
  /** Whether it knows `Symbol.asyncDispose`, as some browsers do not. */
  readonly disposes: boolean
}

/**
 * Runs `code` and then calls a function of what it has made, in a thread that has no globals but the web's.
 *
 * @param call - name of a function that the bundle exports; gets `input`
 * @throws Error what the page throws
 */
export function runPage<T>(code: string, call: string, input: unknown, { disposes }: Engine): Promise<T> {
  const worker = new Worker(threadCode, { eval: true, workerData: { code, call, input, webGlobals, disposes } })
  return new Promise<T>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('The page has ended without an answer')))
  }).finally(() => worker.terminate())
}

// The names of the language are those that a bare context has.
const threadCode = `
const { parentPort, workerData } = require('node:worker_threads')
const { code, call, input, webGlobals, disposes } = workerData
const known = new Set([...webGlobals, ...require('node:vm').runInNewContext('Object.getOwnPropertyNames(globalThis)')])
for (const name of Object.getOwnPropertyNames(globalThis)) if (!known.has(name)) delete globalThis[name]
const OldSymbol = (text) => Symbol(text)
for (const name of Object.getOwnPropertyNames(Symbol)) {
  if (/dispose/i.test(name) || name in OldSymbol) continue
  OldSymbol[name] = Symbol[name]
}
OldSymbol.for = Symbol.for
OldSymbol.prototype = Symbol.prototype
const left = ['process', 'Buffer', 'require', 'global', 'setImmediate', 'module'].filter((name) => name in globalThis)
if (left.length > 0) throw new Error('Not a page: ' + left)
const page = new Function('Symbol', code + '; return page')(disposes ? Symbol : OldSymbol)
page[call](input).then((output) => parentPort.postMessage(output))
`
