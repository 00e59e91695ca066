/** What all parts of one graph share: its drivers, its nodes by name, its policy, and where messages go. */

import type { AnyDriver } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import { BounceBudget } from '../node/bounce-budget.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { protocolPrefix } from '../options/filename.ts'
import type { ImplicitOpenPolicy } from './implicit-open.ts'
import { checkDeviceName, checkNodeName, NodeNames } from './node-name.ts'

/** A message that no request can carry. */
export interface Diagnostic {
  /** `warning`: `<program>: warning: <text>`. `error`: `<program>: <text>`. `line`: the text as it is. All go to stderr. */
  readonly kind: 'warning' | 'error' | 'line'
  readonly text: string
}

/** The graph's inner state. */
export class GraphCore {
  readonly drivers: readonly AnyDriver[]
  readonly implicitOpen: ImplicitOpenPolicy
  readonly diagnostic: (diagnostic: Diagnostic) => void
  readonly nodes: Map<string, GraphNode> = new Map()
  readonly names: NodeNames = new NodeNames()
  /** Users that have names, and what they use now. */
  readonly devices: Map<string, () => GraphNode> = new Map()
  /** What all requests of the graph may hold in buffers of their own. */
  readonly bounce: BounceBudget
  /** Users that are not closed yet, in the order in which they came. */
  readonly users: Set<{ close(): Promise<void> }> = new Set()

  constructor(options: {
    drivers: readonly AnyDriver[]
    implicitOpen: ImplicitOpenPolicy
    onDiagnostic?: ((diagnostic: Diagnostic) => void) | undefined
    bounceBytesMax?: number | undefined
  }) {
    this.drivers = options.drivers
    this.implicitOpen = options.implicitOpen
    this.diagnostic = options.onDiagnostic ?? (() => {})
    this.bounce = new BounceBudget(options.bounceBytesMax)
  }

  /** Frees the name of a node that is going. */
  forget(node: GraphNode): void {
    if (this.nodes.get(node.nodeName) === node) this.nodes.delete(node.nodeName)
  }

  /** @throws BlockError `EINVAL` `Unknown driver 'x'` */
  driverNamed(name: string): AnyDriver {
    const driver = this.drivers.find((candidate) => candidate.formatName === name)
    if (driver === undefined) throw new BlockError('EINVAL', `Unknown driver '${name}'`)
    return driver
  }

  /** @throws BlockError `EINVAL` for a name that no new node may have */
  checkNodeName(name: string): void {
    checkNodeName(
      name,
      (taken) => this.nodes.has(taken),
      (taken) => this.devices.has(taken),
    )
  }

  /**
   * Enters a device.
   *
   * @throws BlockError `EINVAL` for a name that is malformed or taken
   */
  addDevice(name: string, node: () => GraphNode): void {
    checkDeviceName(
      name,
      (taken) => this.nodes.has(taken),
      (taken) => this.devices.has(taken),
    )
    this.devices.set(name, node)
  }

  /** What a device uses, or an open node, by name; devices come first. @throws BlockError `EINVAL` where there is none */
  nodeByReference(name: string): GraphNode {
    const node = this.devices.get(name)?.() ?? this.nodes.get(name)
    // A name is taken as soon as its node begins to open, but there is nothing to use yet.
    if (node === undefined || node.opening)
      throw new BlockError('EINVAL', `Cannot find device='${name}' nor node-name='${name}'`)
    return node
  }

  /**
   * The protocol driver that a file name asks for: that of the device it names, its prefix, or plain files.
   *
   * @param allowPrefix - false for names in options, which are paths
   * @throws BlockError `EINVAL` `Unknown protocol 'x'`
   * @see spec/block-layer.md, section 5
   */
  protocolFor(filename: string, allowPrefix = true): AnyDriver {
    const device = bestBy(this.drivers, (driver) => driver.probeDevice?.(filename) ?? 0)
    if (device !== undefined) return device
    const prefix = (allowPrefix ? protocolPrefix(filename) : undefined) ?? 'file'
    const driver = this.drivers.find((candidate) => candidate.protocolName === prefix)
    if (driver === undefined) throw new BlockError('EINVAL', `Unknown protocol '${prefix}'`)
    return driver
  }

  /** One text for all spellings of an existing file, as the protocol for plain files sees it. */
  canonicalName(filename: string): string | undefined {
    const driver = this.drivers.find((candidate) => candidate.protocolName === 'file')
    return driver?.canonicalName === undefined ? filename : driver.canonicalName(filename)
  }
}

/** The driver with the highest score above 0; among equals the one listed first. */
function bestBy(drivers: readonly AnyDriver[], score: (driver: AnyDriver) => number): AnyDriver | undefined {
  let best: { driver: AnyDriver | undefined; score: number } = { driver: undefined, score: 0 }
  for (const driver of drivers) {
    const own = score(driver)
    if (own > best.score) best = { driver, score: own }
  }
  return best.driver
}
