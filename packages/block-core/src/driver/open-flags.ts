/** The flags of an open that drivers see; they follow from the options that every node has. */

/** Flags of this open that a driver may need (QEMU: `BDRV_O_*`). */
export interface OpenFlags {
  /** Opened by `check`: no automatic repair, tolerate what a repair could mend. */
  readonly check: boolean
  /** Metadata only: no guest I/O will come, no secret and no data file is needed. */
  readonly noIo: boolean
  /** Pass discards on (`discard=unmap`). */
  readonly unmap: boolean
  /** `cache.direct`: bypass the host's page cache. */
  readonly direct: boolean
  /** `cache.no-flush`: flushes to disk may be left out. */
  readonly noFlush: boolean
  readonly forceShare: boolean
  /** The format was guessed from the first sector: raw then writes whole sectors, so that a guest cannot forge another format. */
  readonly probed: boolean
  /** A read-only node may be asked to become writable later (`reopen`). */
  readonly allowReadWrite: boolean
  /** A writable node that cannot write may become read-only (`OpenContext.degradeToReadOnly`). */
  readonly autoReadOnly: boolean
}
