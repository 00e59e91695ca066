/** How clusters are deflated; readers depend on it. */

/**
 * Window of 4 KiB: a reader that sets aside no more, as the reference does, fails on distances beyond it.
 *
 * @see QEMU 7.2 block/qcow2-threads.c: qcow2_zlib_compress
 */
export const deflateWindowBits = 12

/** zlib's memory level, of which 9 is the highest. */
export const deflateMemory = 9
