# Incremental backup with bitmaps: what was written since the full backup is recorded in the image, and only that is copied.
qemu-img convert -q -f raw -O qcow2 rootfs.ext4 vm.qcow2
qemu-img bitmap --add -g 64k vm.qcow2 monday
qemu-img convert -q -O qcow2 vm.qcow2 full.qcow2
bitmaps() { qemu-img info "$1" | sed -n '/bitmaps:/,/^[A-Z]/p' | grep -e name -e granularity -e auto -e in-use; }

qemu-io -c 'write -P 7 3M 192k' -c 'write -P 8 20M 64k' vm.qcow2 | grep wrote
# The next period begins before this one is copied.
qemu-img bitmap --add -g 64k vm.qcow2 tuesday
qemu-img bitmap --disable vm.qcow2 monday
bitmaps vm.qcow2

# The places that monday's bitmap names go into an overlay of the full backup.
qemu-img create -q -f qcow2 -F qcow2 -b full.qcow2 monday.qcow2
for place in '3145728 196608' '20971520 65536'; do
  set -- $place
  qemu-img convert --image-opts -O raw "driver=raw,offset=$1,size=$2,file.driver=qcow2,file.file.filename=vm.qcow2" piece
  qemu-io -c "write -s piece $1 $2" monday.qcow2 | grep wrote
  rm piece
done
qemu-img compare vm.qcow2 monday.qcow2

# The day is done: its bitmap goes; two days in one bitmap for who missed one.
qemu-img bitmap --add -g 64k --disable vm.qcow2 both
qemu-img bitmap --merge monday --merge tuesday vm.qcow2 both
qemu-img bitmap --remove vm.qcow2 monday
qemu-img bitmap --clear vm.qcow2 tuesday
bitmaps vm.qcow2

# The machine moves elsewhere, with its bitmaps.
qemu-img convert -O qcow2 --bitmaps vm.qcow2 moved.qcow2
bitmaps moved.qcow2
qemu-img measure --output=json -O qcow2 moved.qcow2 | grep bitmaps
qemu-img check vm.qcow2 >checked && sed -n 1p checked
qemu-img check moved.qcow2 >checked && sed -n 1p checked
