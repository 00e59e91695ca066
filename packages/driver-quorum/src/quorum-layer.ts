/** An open quorum: every write goes to all copies, every read is put to the vote. */

import {
  BlockError,
  type BlockLayer,
  type BlockNode,
  bytesEqual,
  bytesIn,
  type Child,
  type ChildListSupport,
  type IoBuffers,
  type LayerWriteFlags,
  type MappingSupport,
  Permissions,
  type PermissionSet,
  RangeLock,
  type WriteSupport,
  type ZeroFlags,
} from '@blocklayer/block-core/driver'
import { combinedStatus } from './combined-status.ts'
import { askAll, type Ballot, type Outcome } from './ask.ts'
import { type QuorumEvent, type QuorumRequest, quorumFailure, reportBad } from './events.ts'
import type { QuorumSetting } from './options.ts'
import { countVotes, type Version, winnerOf } from './vote.ts'

/** What an open node consists of. */
export interface QuorumParts {
  readonly children: readonly Child[]
  /** Attaches one more. */
  readonly attach: (name: string, node: BlockNode) => Promise<Child>
  readonly setting: QuorumSetting
  readonly nodeName: string
  readonly onEvent: (event: QuorumEvent) => void
  /** Prints a line for the user. */
  readonly report: (line: string) => void
}

/** What most copies say. */
export class QuorumLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly childList: ChildListSupport
  readonly #parts: QuorumParts
  readonly #children: Child[]
  /** The copies may serve overlapping requests in different orders; then they would differ and nothing be wrong. */
  readonly #ranges = new RangeLock()
  #nextIndex: number

  constructor(parts: QuorumParts) {
    this.#parts = parts
    this.#children = [...parts.children]
    this.#nextIndex = parts.children.length
    this.writer = {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: (offset, data, flags) => this.#write(offset, data, flags),
      writev: (offset, data, flags) => this.#write(offset, data, flags),
      writeZeroes: (offset, bytes, flags) => this.#writeZeroes(offset, bytes, flags),
    }
    this.mapping = {
      blockStatus: async (offset, bytes, wantZero) => {
        const { answers } = await askAll(this.#children, (child) => child.blockStatus(offset, bytes, { wantZero }))
        return combinedStatus(answers, bytes)
      },
    }
    this.childList = {
      add: (child) => this.#add(child),
      remove: (name) => this.#remove(name),
    }
  }

  /** All are equally long: nobody else may resize them. */
  get length(): number {
    return this.#children[0]?.length ?? 0
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.readv(offset, [into])
  }

  readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#parts.setting.isFifo ? this.#readFirst(offset, into) : this.#readVoted(offset, into)
  }

  async flush(): Promise<void> {
    const request: QuorumRequest = { type: 'flush', offset: 0, bytes: 0 }
    await this.#requireAll(request, (child) => child.flush())
  }

  /** A resize would go past the vote, and a write by somebody else would look like a bad copy. */
  childPermissions(_name: string, permissions: PermissionSet, users: PermissionSet): PermissionSet {
    const { all, consistentRead, write, writeUnchanged } = Permissions
    const taken = users.taken | (this.#parts.setting.rewrites ? write : 0)
    // The rules share everything only where the user demanded it.
    const shared = permissions.shared === all ? all : users.shared & (consistentRead | writeUnchanged)
    return { taken, shared }
  }

  async close(): Promise<void> {}

  /** One copy after the other, until one can be read. */
  async #readFirst(offset: number, into: readonly Uint8Array[]): Promise<void> {
    const request: QuorumRequest = { type: 'read', offset, bytes: bytesIn(into) }
    await this.#ranges.run('shared', offset, request.bytes, async () => {
      let failed: Outcome
      for (const child of this.#children) {
        const { outcomes } = await askAll([child], () => child.read(offset, into))
        failed = outcomes[0]
        if (failed === undefined) return
        this.#reportFailures(request, [child], outcomes)
      }
      if (failed !== undefined) throw failed
    })
  }

  async #readVoted(offset: number, into: readonly Uint8Array[]): Promise<void> {
    const request: QuorumRequest = { type: 'read', offset, bytes: bytesIn(into) }
    const ballot = await this.#ranges.run('shared', offset, request.bytes, () => this.#askContents(request))
    if (!this.#parts.setting.rewrites || countVotes(ballot.answers, bytesEqual).length < 2) {
      fill(into, this.#decide(request, ballot).value)
      return
    }
    // Asked again, with all writers kept away: what is written back must not be older than what is there.
    await this.#ranges.run('exclusive', offset, request.bytes, async () => {
      const again = await this.#askContents(request)
      const winner = this.#decide(request, again)
      fill(into, winner.value)
      await this.#rewrite(request, winner, again)
    })
  }

  async #askContents(request: QuorumRequest): Promise<Ballot> {
    return askAll(this.#children, async (child) => {
      const content = new Uint8Array(request.bytes)
      await child.read(request.offset, content)
      return content
    })
  }

  /** The content that won. @throws BlockError what most copies failed with, or `EIO` where too few agree */
  #decide(request: QuorumRequest, ballot: Ballot): Version<Uint8Array> {
    this.#settle(request, ballot.outcomes)
    const versions = countVotes(ballot.answers, bytesEqual)
    if (this.#parts.setting.verifies) this.#refuseDifference(request, versions)
    const winner = winnerOf(versions)
    if (winner === undefined || winner.voters.length < this.#parts.setting.threshold) {
      this.#parts.onEvent(quorumFailure(request, this.#parts.nodeName))
      throw BlockError.fromErrno('EIO')
    }
    for (const { voters } of versions.filter((version) => version !== winner)) {
      for (const voter of voters) this.#reportChild(request, this.#children[voter], undefined)
    }
    return winner
  }

  /** Fails the request alone, not the program: other nodes have data to save. */
  #refuseDifference({ offset, bytes }: QuorumRequest, [first, second]: readonly Version<Uint8Array>[]): void {
    if (first === undefined || second === undefined) return
    const at = first.value.findIndex((byte, i) => byte !== second.value[i])
    const line = `quorum: offset=${offset} bytes=${bytes} contents mismatch at offset ${offset + at}`
    this.#parts.report(line)
    throw new BlockError('EIO', line)
  }

  /** Copies that could not be read are left alone. One that cannot be mended is reported; the read has its data. */
  async #rewrite(request: QuorumRequest, winner: Version<Uint8Array>, ballot: Ballot): Promise<void> {
    const outvoted = this.#children.filter((_, i) => ballot.outcomes[i] === undefined && !winner.voters.includes(i))
    const { outcomes } = await askAll(outvoted, (child) => child.write(request.offset, winner.value))
    this.#reportFailures({ ...request, type: 'write' }, outvoted, outcomes)
  }

  #write(offset: number, data: IoBuffers, flags: LayerWriteFlags): Promise<void> {
    const request: QuorumRequest = { type: 'write', offset, bytes: bytesIn(data) }
    return this.#ranges.run('exclusive', offset, request.bytes, () =>
      this.#requireAll(request, (child) => child.write(offset, data, flags)),
    )
  }

  /** A copy that cannot zero without writing data must write it once another one has zeroed: they would differ. */
  #writeZeroes(offset: number, bytes: number, flags: ZeroFlags): Promise<void> {
    const request: QuorumRequest = { type: 'write', offset, bytes }
    return this.#ranges.run('exclusive', offset, bytes, async () => {
      const zero = (how: ZeroFlags) => (child: Child) => child.writeZeroes(offset, bytes, how)
      const { outcomes } = await askAll(this.#children, zero(flags))
      const mustFollow = outcomes.includes(undefined)
      const refusing = this.#children.filter((_, i) => mustFollow && outcomes[i]?.code === 'ENOTSUP')
      const second = await askAll(refusing, zero({ ...flags, noFallback: false }))
      const followed = new Map(refusing.map((child, i) => [child, second.outcomes[i]]))
      const final = this.#children.map((child, i) => (followed.has(child) ? followed.get(child) : outcomes[i]))
      this.#settle(request, final)
    })
  }

  async #requireAll(request: QuorumRequest, act: (child: Child) => Promise<void>): Promise<void> {
    this.#settle(request, (await askAll(this.#children, act)).outcomes)
  }

  #settle(request: QuorumRequest, outcomes: readonly Outcome[]): void {
    this.#reportFailures(request, this.#children, outcomes)
    this.#requireSuccesses(request, outcomes)
  }

  /** @throws BlockError where too few worked: what most of the others failed with */
  #requireSuccesses(request: QuorumRequest, outcomes: readonly Outcome[]): void {
    const successes = outcomes.filter((outcome) => outcome === undefined).length
    if (successes >= this.#parts.setting.threshold) return
    if (request.type !== 'flush') this.#parts.onEvent(quorumFailure(request, this.#parts.nodeName))
    const failed = winnerOf(countVotes(outcomes, (a, b) => a.code === b.code))?.value
    if (failed !== undefined) throw failed
  }

  #reportFailures(request: QuorumRequest, children: readonly Child[], outcomes: readonly Outcome[]): void {
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome !== undefined) this.#reportChild(request, children[i], outcome)
    }
  }

  #reportChild(request: QuorumRequest, child: Child | undefined, outcome: Outcome): void {
    if (child !== undefined) this.#parts.onEvent(reportBad(request, child.node.nodeName, outcome))
  }

  async #add(node: BlockNode): Promise<string> {
    if (this.#parts.setting.verifies) {
      throw new BlockError('EINVAL', 'Cannot add a child to a quorum in blkverify mode')
    }
    if (node.length !== this.length) throw BlockError.withErrno('EIO', 'Could not refresh total sector count')
    const name = `children.${this.#nextIndex}`
    this.#children.push(await this.#parts.attach(name, node))
    this.#nextIndex++
    return name
  }

  #remove(name: string): void {
    const { threshold } = this.#parts.setting
    if (this.#children.length <= threshold) {
      const text = `The number of children cannot be lower than the vote threshold ${threshold}`
      throw new BlockError('EINVAL', text)
    }
    const at = this.#children.findIndex((child) => child.name === name)
    if (at >= 0) this.#children.splice(at, 1)
    // The last name is given again, as in the reference; those before it stay gaps.
    if (name === `children.${this.#nextIndex - 1}`) this.#nextIndex--
  }
}

function fill(into: readonly Uint8Array[], content: Uint8Array): void {
  let done = 0
  for (const part of into) {
    part.set(content.subarray(done, done + part.length))
    done += part.length
  }
}
