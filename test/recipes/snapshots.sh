# Before each change a snapshot, and back again; later one of them becomes an image of its own.
qemu-img convert -q -f raw -O qcow2 rootfs.ext4 vm.qcow2
listing() { qemu-img snapshot -l vm.qcow2 | awk 'NR > 2 { print $1, $2 }'; }

qemu-img snapshot -c clean vm.qcow2
qemu-io -c 'write -P 1 4M 2M' vm.qcow2 | grep wrote
qemu-img snapshot -c installed vm.qcow2
qemu-io -c 'write -P 2 5M 2M' -c 'write -z 8M 1M' vm.qcow2 | grep wrote
qemu-img snapshot -c broken vm.qcow2
listing

qemu-img snapshot -a installed vm.qcow2
qemu-io -r -c 'read -P 1 4M 2M' vm.qcow2 | grep read
qemu-img snapshot -a clean vm.qcow2
qemu-img compare -f qcow2 -F raw vm.qcow2 rootfs.ext4
qemu-img snapshot -a nothing vm.qcow2 || echo "status $?"

qemu-img convert -l snapshot.name=broken -O qcow2 vm.qcow2 broken.qcow2
qemu-img convert -l installed -O raw vm.qcow2 installed.raw
qemu-io -r -c 'read -P 2 5M 2M' broken.qcow2 | grep read
qemu-img snapshot -d broken vm.qcow2
qemu-img snapshot -d installed vm.qcow2
listing
qemu-img check vm.qcow2 >checked && sed -n 1p checked

# Disks are grown with snapshots in place, and a snapshot remembers the old size.
qemu-img resize -q vm.qcow2 64M
qemu-io -c 'write -P 3 60M 1M' vm.qcow2 | grep wrote
qemu-img snapshot -a clean vm.qcow2
qemu-img info vm.qcow2 | grep 'virtual size'
qemu-img snapshot -d clean vm.qcow2
qemu-img check vm.qcow2 >checked && sed -n 1p checked
