/** Which bytes of the file belong to which metadata structure: every room says so for its own tables. */

/** Name of a metadata structure, as the option `overlap-check.<name>` spells it. */
export type RegionName =
  | 'main-header'
  | 'active-l1'
  | 'refcount-table'
  | 'snapshot-table'
  | 'inactive-l1'
  | 'active-l2'
  | 'refcount-block'
  | 'inactive-l2'
  | 'bitmap-directory'

/**
 * Metadata structures in the order in which an overlap is looked for, with the names that messages give them.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_check_metadata_overlap
 */
export const regionTitles: Readonly<Record<RegionName, string>> = {
  'main-header': 'qcow2_header',
  'active-l1': 'active L1 table',
  'refcount-table': 'refcount table',
  'snapshot-table': 'snapshot table',
  'inactive-l1': 'inactive L1 table',
  'active-l2': 'active L2 table',
  'refcount-block': 'refcount block',
  'inactive-l2': 'inactive L2 table',
  'bitmap-directory': 'bitmap directory',
}

/** Every name, in checking order. */
export const regionNames: readonly RegionName[] = Object.keys(regionTitles) as RegionName[]

/** Whether some byte from `start` to below `end` belongs to the structure. A promise only where the disk must be asked. */
export type RegionTest = (start: number, end: number) => boolean | Promise<boolean>

/** Tests of all structures that exist; rooms register theirs while they are built. */
export class RegionMap {
  readonly #tests = new Map<RegionName, RegionTest>()

  /** Says how to find out what belongs to `name`; a second registration replaces the first. */
  register(name: RegionName, test: RegionTest): void {
    this.#tests.set(name, test)
  }

  /** The test of `name`, if such a structure exists. */
  test(name: RegionName): RegionTest | undefined {
    return this.#tests.get(name)
  }
}

/** Whether two half-open ranges have a byte in common. */
export function rangesOverlap(start: number, end: number, otherStart: number, otherEnd: number): boolean {
  return start < otherEnd && otherStart < end
}
