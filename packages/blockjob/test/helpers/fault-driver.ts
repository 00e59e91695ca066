/** A filter for tests: makes chosen requests fail or wait, and remembers all of them. */
import {
  type BlockDriver,
  BlockError,
  type Child,
  ChildRoles,
  defineDriver,
  type Errno,
  type NodeSpec,
  nodeSpec,
} from '@blocklayer/block-core/driver'

export type FaultOperation = 'read' | 'write' | 'zero' | 'discard' | 'flush' | 'status' | 'truncate' | 'reopen'

export interface FaultRule {
  readonly operation: FaultOperation
  readonly code: Errno
  /** Only requests that touch this offset. */
  readonly at?: number
  /** How often the rule fires; absent: always. */
  times?: number
}

export interface LoggedRequest {
  readonly operation: FaultOperation
  readonly offset: number
  readonly bytes: number
}

/** What happens to the requests of one node. Change it while the node is in use. */
export class Faults {
  rules: FaultRule[] = []
  log: LoggedRequest[] = []
  /** Resolves before each request goes on; for tests that need requests to be slow. */
  gate: ((request: LoggedRequest) => Promise<void>) | undefined
  /** Requests now under way, and the most there ever were. */
  inFlight = 0
  inFlightMax = 0

  add(rule: FaultRule): void {
    this.rules.push(rule)
  }

  of(operation: FaultOperation): LoggedRequest[] {
    return this.log.filter((request) => request.operation === operation)
  }

  async run<T>(request: LoggedRequest, act: () => Promise<T>): Promise<T> {
    this.log.push(request)
    this.inFlight++
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    try {
      await this.gate?.(request)
      const rule = this.rules.find(
        ({ operation, at, times }) =>
          operation === request.operation &&
          times !== 0 &&
          (at === undefined || (at >= request.offset && at < request.offset + request.bytes)),
      )
      if (rule !== undefined) {
        if (rule.times !== undefined) rule.times--
        throw BlockError.fromErrno(rule.code)
      }
      return await act()
    } finally {
      this.inFlight--
    }
  }
}

export interface FaultOptions {
  readonly image: NodeSpec
  readonly faults: Faults
}

export const faultDriver: BlockDriver<FaultOptions> = defineDriver<FaultOptions>({
  formatName: 'fault',
  kind: 'filter',
  options: {
    image: { name: 'image', type: 'node', help: 'the node below' },
    faults: { name: 'faults', type: 'string', help: 'what fails (only in code)' },
  },
  async open(context, { image, faults }) {
    const child: Child = await context.attach('image', ChildRoles.filtered | ChildRoles.primary, image)
    const run = <T>(operation: FaultOperation, offset: number, bytes: number, act: () => Promise<T>) =>
      faults.run({ operation, offset, bytes }, act)
    return {
      get length() {
        return child.length
      },
      read: (offset, into) => run('read', offset, into.length, () => child.read(offset, into)),
      flushToDisk: () => run('flush', 0, 0, async () => {}),
      writer: {
        write: (offset, data) => run('write', offset, data.length, () => child.write(offset, data)),
        zeroFlags: { mayUnmap: true, noFallback: true },
        writeZeroes: (offset, bytes, flags) =>
          run('zero', offset, bytes, () => child.writeZeroes(offset, bytes, flags)),
        discard: (offset, bytes) => run('discard', offset, bytes, () => child.discard(offset, bytes)),
        truncate: (length, options) => run('truncate', length, 0, () => child.truncate(length, options)),
      },
      mapping: {
        blockStatus: (offset, bytes) =>
          run('status', offset, bytes, async () => ({
            bytes,
            data: false,
            zero: false,
            raw: true,
            hostOffset: offset,
          })),
      },
      reopen: () => run('reopen', 0, 0, async () => {}),
      close: async () => {},
    }
  },
})

export function fault(image: NodeSpec, faults: Faults, nodeName?: string): NodeSpec<FaultOptions> {
  return nodeSpec(faultDriver, { image, faults }, { nodeName })
}
