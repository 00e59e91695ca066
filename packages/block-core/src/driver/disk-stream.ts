/** What streams of disks are made of: the form between those who read a disk once, in order, and those who write one so. */

/** Guest bytes, one piece behind the other without gaps. */
export interface DiskPiece {
  /** Guest offset. */
  readonly offset: number
  readonly bytes: number
  /** `bytes` long, valid until the next piece is asked for; absent: the piece reads as zeroes. */
  readonly data?: Uint8Array
}

/** A disk that is read from its first byte to its last. */
export interface DiskStream {
  /** Virtual size in bytes; `undefined`: known only when the last piece has come. */
  readonly length: number | undefined
  /** The whole disk. Asked for a second time only where `isRepeatable`. */
  pieces(): AsyncIterable<DiskPiece>
  readonly isRepeatable: boolean
  /**
   * Tells all ranges that will come with data, in ascending order, before any data is read.
   *
   * @returns `false` where they cannot be known without passing by data; what was visited until then means nothing
   */
  scan?(visit: (offset: number, bytes: number) => void): Promise<boolean>
  /** Most bytes of data there can be, after `scan` gave `false`; `undefined` where only the length bounds it. */
  dataBytesMax?(): Promise<number | undefined>
  /** Bytes of the source's own clusters: its data comes in whole ones. Default: a sector. */
  readonly grainBytes?: number | undefined
}

/** Takes a stream of bytes. */
export interface ByteSink {
  /** Takes `bytes`, which belong to the caller again when it resolves. */
  write(bytes: Uint8Array): Promise<void>
  /** Goes on `bytes` further on, over zeroes. Absent: zeroes are written. */
  skip?(bytes: number): Promise<void>
  /** Replaces bytes that were written. Absent: what was written is gone. */
  patch?(offset: number, bytes: Uint8Array): Promise<void>
  /** Makes durable what was written: what is patched afterwards may rely on it. Absent: nobody needs it to be. */
  flush?(): Promise<void>
}

/** Long, since each piece that is written leaves promises to the garbage collector, and a disk has many zeroes. */
const zeroes: Uint8Array = new Uint8Array(2 ** 20)

/** Writes `bytes` zeroes, or goes on over them where the sink can. */
export async function writeZeroRun(sink: ByteSink, bytes: number): Promise<void> {
  if (bytes > 0 && sink.skip !== undefined) return await sink.skip(bytes)
  for (let rest = bytes; rest > 0; rest -= zeroes.length) {
    await sink.write(rest < zeroes.length ? zeroes.subarray(0, rest) : zeroes)
  }
}
