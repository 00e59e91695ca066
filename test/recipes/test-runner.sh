# A farm of test machines: a golden image that nobody changes, an overlay for each job, and one job whose result is kept.
qemu-img convert -q -f raw -O qcow2 rootfs.ext4 golden.qcow2
chmod a-w golden.qcow2
for job in 1 2 3; do
  qemu-img create -q -f qcow2 -o backing_file=golden.qcow2,backing_fmt=qcow2,cluster_size=4k "job$job.qcow2" &
done
wait
qemu-io -c "write -P 1 0 4k" -c "aio_write -P 2 8M 64k" -c aio_flush job1.qcow2 | grep -c wrote
qemu-io -c 'discard 16M 1M' job2.qcow2 | grep discard

# A job that nobody wants any more; one whose disk must not have changed; one that is the new golden image.
rm job3.qcow2
qemu-img compare -s golden.qcow2 job2.qcow2 || echo "status $?"
qemu-img compare -q golden.qcow2 job1.qcow2 || echo "status $?"
chmod u+w golden.qcow2
qemu-img commit -p job1.qcow2 | tr '\r' '\n' | tail -n 2
qemu-img compare -q golden.qcow2 job1.qcow2 && echo same
qemu-img amend -f qcow2 -o compat=0.10 golden.qcow2
qemu-img info golden.qcow2 | grep compat

# Artefacts: a raw copy, sparse, with its data where the map says.
qemu-img convert -S 4k -m 4 -O raw golden.qcow2 artefact.raw
qemu-img map --output=json -f raw artefact.raw | grep -c '"data": true'
qemu-img compare -f qcow2 -F raw golden.qcow2 artefact.raw
qemu-img check -q golden.qcow2 && qemu-img check -q job1.qcow2 && echo clean
