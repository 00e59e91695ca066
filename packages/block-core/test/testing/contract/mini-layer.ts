/** An open image of the mini format. Where `bug` is asked for, the right way stands beside the wrong one. */
import {
  AsyncMutex,
  BlockError,
  type BlockLayer,
  type CheckResult,
  type CheckSupport,
  type Child,
  type LayerInfo,
  type LayerLimits,
  type MaintenanceSupport,
  type MappingSupport,
  type WriteSupport,
} from '../../../src/driver.ts'
import type { MiniBug } from './mini-bugs.ts'
import { block, dataStart, header, MiniTable } from './mini-table.ts'

interface MiniParts {
  readonly file: Child
  readonly head: Uint8Array
  readonly bug: MiniBug | undefined
  readonly readOnly: boolean
}

export class MiniLayer implements BlockLayer {
  readonly limits: LayerLimits = { requestAlignment: 512, zeroAlignment: block, discardAlignment: block }
  readonly #file: Child
  readonly #bug: MiniBug | undefined
  readonly #table: MiniTable
  readonly #lock: AsyncMutex = new AsyncMutex()
  readonly #kept = new Map<number, Uint8Array>()
  #size: number
  #readOnly: boolean

  constructor({ file, head, bug, readOnly }: MiniParts) {
    this.#file = file
    this.#bug = bug
    this.#size = new DataView(head.buffer).getUint32(4)
    this.#table = new MiniTable(head)
    this.#readOnly = readOnly
  }

  get length(): number {
    return this.#bug === 'wrong length' ? this.#size + 512 : this.#size
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    const bug = this.#bug
    for (let done = 0; done < into.length; ) {
      const at = offset + done
      const bytes = Math.min(into.length - done, block - (at % block))
      const piece = into.subarray(done, done + bytes)
      const place = this.#table.place(Math.floor(at / block))
      const kept = this.#kept.get(at - (at % block))
      if (kept !== undefined) piece.set(kept.subarray(at % block, (at % block) + bytes))
      else if (place === undefined) piece.fill(bug === 'unwritten blocks are not zero' ? 7 : 0)
      else {
        const part = bug === 'short read' && bytes > 512 ? piece.subarray(0, bytes - 512) : piece
        const reading = this.#file.read(place + (at % block), part)
        await (bug === 'swallows read errors' ? reading.catch(() => {}) : reading)
      }
      done += bytes
    }
    if (bug === 'writes outside the read buffer' && into.byteOffset > 0)
      new Uint8Array(into.buffer)[into.byteOffset - 1] = 1
  }

  readonly writer: WriteSupport = {
    zeroFlags: { mayUnmap: true, noFallback: true },
    write: async (offset, data) => {
      for (let done = 0; done < data.length; ) {
        const at = offset + done
        const bytes = Math.min(data.length - done, block - (at % block))
        const writing = this.#writePiece(at, data.subarray(done, done + bytes))
        await (this.#bug === 'swallows write errors' ? writing.catch(() => {}) : writing)
        done += bytes
      }
      if (this.#bug === 'changes the data of the caller') data[0] = 0
    },
    writeZeroes: (offset, bytes, { mayUnmap }) => this.#zero(offset, bytes, mayUnmap),
    discard: async (offset, bytes) => {
      if (offset % block !== 0 || bytes % block !== 0) throw BlockError.fromErrno('ENOTSUP')
      const more = this.#bug === 'discard hits its neighbour' ? block : 0
      this.#unlink(offset, bytes + more)
    },
    truncate: (length) => this.#lock.run(() => this.#truncate(length)),
  }

  async #writePiece(at: number, data: Uint8Array): Promise<void> {
    const index = Math.floor(at / block)
    const place = this.#table.place(index)
    if (this.#bug === 'keeps the buffer of the caller' && at % block === 0 && data.length === block) {
      this.#kept.set(at, data)
    }
    if (place !== undefined) return this.#file.write(place + (at % block), data)
    if (this.#bug === 'loses one of two writes') return this.#allocate(index, at % block, data)
    return this.#lock.run(() => {
      // Somebody else may have had the lock, and allocated it.
      const now = this.#table.place(index)
      return now === undefined ? this.#allocate(index, at % block, data) : this.#file.write(now + (at % block), data)
    })
  }

  async #allocate(index: number, within: number, data: Uint8Array): Promise<void> {
    const entry = this.#bug === 'gives a lost place to another' ? this.#entryAtTheEnd() : this.#table.next++
    const whole = new Uint8Array(block).fill(this.#bug === 'a new block keeps old bytes around the data' ? 9 : 0)
    whole.set(data, within)
    await this.#file.write(dataStart + (entry - 1) * block, whole)
    this.#table.link(index, entry)
    if (this.#bug === 'table before data' || this.#bug === 'gives a lost place to another') await this.#storeTable()
  }

  #entryAtTheEnd(): number {
    return 1 + Math.max(0, Math.ceil((this.#file.length - dataStart) / block))
  }

  async #zero(offset: number, bytes: number, mayUnmap: boolean): Promise<void> {
    if (this.#bug === 'forgets to zero') return
    const whole = offset % block === 0 && bytes % block === 0
    if (!whole || !mayUnmap) throw BlockError.fromErrno('ENOTSUP')
    this.#unlink(offset, bytes + (this.#bug === 'zeroes too much' ? block : 0))
    if (this.#bug === 'zeroes only in memory') this.#table.dirty = false
  }

  #unlink(offset: number, bytes: number): void {
    for (let at = offset; at < offset + bytes; at += block) {
      if (this.#table.place(at / block) !== undefined) this.#table.link(at / block, 0)
    }
  }

  async #truncate(length: number): Promise<void> {
    const bug = this.#bug
    const end = Math.ceil(length / block) * block
    if (length < this.#size) {
      const cut = bug === 'shrinking cuts too much' ? end - block : end
      if (bug !== 'growing shows old data') this.#unlink(cut, this.#size - cut)
      await this.flushToOs()
    }
    this.#size = length
    if (bug !== 'forgets the new length') await this.#file.write(0, header(length).subarray(0, 512))
  }

  async flushToOs(): Promise<void> {
    if (!this.#table.dirty || this.#readOnly || this.#bug === 'flush forgets the table') return
    // The data first: an entry on the disk without its data would show what lay there before.
    if (this.#bug !== 'table before data') await this.#file.flush()
    await this.#storeTable()
  }

  async #storeTable(): Promise<void> {
    this.#table.dirty = false
    try {
      await this.#file.write(block, this.#table.encode())
    } catch (error) {
      this.#table.dirty = true
      throw error
    }
  }

  readonly mapping: MappingSupport = {
    blockStatus: async (offset) => {
      const bug = this.#bug
      const hostOffset = this.#table.place(Math.floor(offset / block))
      const bytes = block - (offset % block)
      const data = hostOffset !== undefined && bug !== 'says nothing of data'
      const zero = hostOffset === undefined || bug === 'says zero of data'
      if (bug === 'says zero with half the answer' && zero) return { bytes: 65536, data: false, zero }
      return { bytes, data, zero, ...(data ? { hostOffset: hostOffset + (offset % block) } : {}) }
    },
  }

  readonly checker: CheckSupport = {
    check: async (): Promise<CheckResult> => {
      const places = [...this.#table.entries.keys()].flatMap((index) => this.#table.place(index) ?? [])
      const isTolerant = this.#bug === 'gives a lost place to another'
      const beyond = isTolerant ? 0 : places.filter((place) => place + block > this.#file.length).length
      return {
        corruptions: beyond + places.length - new Set(places).size + (this.#bug === 'check cries wolf' ? 1 : 0),
        leaks: 0,
        checkErrors: 0,
        corruptionsFixed: 0,
        leaksFixed: 0,
        imageEndOffset: this.#file.length,
        clusters: { total: 0, allocated: 0, fragmented: 0, compressed: 0 },
      }
    },
  }

  readonly maintenance: MaintenanceSupport = {
    makeEmpty: async () => {
      if (this.#bug !== 'emptying empties nothing') this.#unlink(0, this.#size)
      await this.flushToOs()
    },
  }

  info(): LayerInfo {
    return { clusterSize: this.#bug === 'nonsense in info' ? 5000 : block }
  }

  async reopen({ readOnly }: { readonly readOnly: boolean }): Promise<void> {
    if (this.#bug === 'not writable again') return
    await this.flushToOs()
    this.#readOnly = readOnly
  }

  async close(): Promise<void> {
    await this.flushToOs()
  }
}
