/** What an image may be said to have for a backing format. */

/**
 * Drivers of the reference that we need not have: an overlay over one of theirs can be made here, and opened there.
 *
 * @see `qemu-img create -u -b x -F NAME`, which refuses all others
 */
const referenceDrivers: ReadonlySet<string> = new Set(
  `blkdebug blklogwrites blkreplay blkverify bochs cloop compress copy-before-write copy-on-read dmg file ftp ftps gluster
  host_cdrom host_device http https iscsi luks nbd nfs null-aio null-co nvme parallels preallocate qcow qcow2 qed quorum raw
  rbd replication snapshot-access ssh throttle vdi vhdx vmdk vpc vvfat`.split(/\s+/),
)

/** Whether a driver of this name is known: one of `drivers`, or one of the reference's. */
export function isFormatName(drivers: readonly { readonly formatName: string }[], name: string): boolean {
  return referenceDrivers.has(name) || drivers.some(({ formatName }) => formatName === name)
}
