/** A format whose options change when it is reopened, and that says what is asked of it. */
import { type AnyDriver, ChildRoles, type ChildSpec, defineDriver, type ReopenChange } from '../../src/driver.ts'

export interface ReopenableOptions {
  readonly file?: ChildSpec
  readonly speed?: number
  readonly pace?: number
  readonly rules?: readonly unknown[]
  readonly fixed?: string
}

/** What a test sees and decides: everything by node name. */
export interface ReopenScript {
  readonly log: string[]
  /** Throws to make a step fail, returns a promise to delay it: `prepare a`, `commit a`, `abort a`. */
  before: (step: string) => void | Promise<void>
  readonly changes: Map<string, ReopenChange>
}

export function reopenScript(): ReopenScript {
  return { log: [], before: () => {}, changes: new Map() }
}

export function reopenable(script: ReopenScript, extra: Partial<AnyDriver> = {}): AnyDriver {
  const driver = defineDriver<ReopenableOptions>({
    formatName: 'reopenable',
    kind: 'format',
    options: {
      file: { name: 'file', type: 'node', required: true, help: 'x' },
      speed: { name: 'speed', type: 'size', mutable: true, help: 'x' },
      pace: { name: 'pace', type: 'size', mutable: true, replaces: ['speed'], help: 'x' },
      rules: { name: 'rules', type: 'dict-list', mutable: true, help: 'x' },
      fixed: { name: 'fixed', type: 'string', help: 'x' },
    },
    async open(context, options) {
      const file = await context.attach('file', ChildRoles.image, options.file)
      const backing = extra.supportsBacking === true ? await context.attachBacking(undefined) : undefined
      let now = backing
      const { nodeName } = context
      const step = async (what: string) => {
        script.log.push(`${what} ${nodeName}`)
        await script.before(`${what} ${nodeName}`)
      }
      return {
        get length() {
          return file.length
        },
        read: (offset, into) => (now ?? file).read(offset, into),
        writer: { write: (offset, data) => file.write(offset, data) },
        flushToOs: () => step('flush'),
        prepareReopen: async (change) => {
          await step('prepare')
          return {
            commit: async () => {
              await step('commit')
              script.changes.set(nodeName, change)
            },
            abort: () => step('abort'),
          }
        },
        backingChanged: (child) => {
          now = child
        },
        close: async () => void script.log.push(`close ${nodeName}`),
      }
    },
  })
  return { ...driver, ...extra }
}
