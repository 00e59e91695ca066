// The qcow2 images in which every step that qcow2 announces is taken by some request, and these requests.
import { join } from 'node:path'
import { mustSucceed, run } from '../../scripts/lib/workspace.ts'
import type { Request } from './case.ts'

const KiB = 1024

/** An image, and what is asked of it. */
export interface Scenario {
  /** Name of the image's file in the folder. */
  readonly image: string
  readonly requests: readonly Request[]
}

const request = (kind: Request['kind'], offset: number, bytes: number): Request => ({
  kind,
  offset: offset * KiB,
  bytes: bytes * KiB,
})

/** By name; offsets and lengths in KiB. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'a new image': {
    image: 'fresh.q',
    requests: [
      request('write', 0, 64),
      request('write', 128, 4),
      request('read', 0, 1),
      request('zero', 0, 64),
      request('fua', 256, 1),
      request('read', 128, 4),
    ],
  },
  'an overlay': {
    image: 'over.q',
    requests: [
      request('write', 4, 4),
      request('read', 0, 64),
      request('read', 600, 8),
      request('write', 300, 40),
      request('fua', 4, 1),
    ],
  },
  'an image with a snapshot': {
    image: 'snap.q',
    requests: [
      request('write', 0, 64),
      request('write', 68, 4),
      request('discard', 128, 64),
      request('fua', 192, 1),
      request('read', 0, 64),
    ],
  },
  'compressed writes': {
    image: 'fresh.q',
    requests: [
      request('compressed', 0, 64),
      request('compressed', 64, 64),
      request('fua', 256, 1),
      request('read', 0, 64),
      request('write', 0, 4),
    ],
  },
}

/** Makes the images in `folder`, by the reference. */
export function makeImages(folder: string): void {
  const make = (...args: string[]) => mustSucceed(args.join(' '), run('qemu-img', args, folder))
  const write = (image: string, command: string) =>
    mustSucceed(command, run('qemu-io', ['-c', command, join(folder, image)]))
  make('create', '-q', '-f', 'qcow2', 'fresh.q', '1M')
  make('create', '-q', '-f', 'qcow2', 'base.q', '1M')
  write('base.q', 'write 0 1M')
  make('create', '-q', '-f', 'qcow2', '-b', 'base.q', '-F', 'qcow2', 'over.q')
  write('over.q', 'write 512k 64k')
  make('create', '-q', '-f', 'qcow2', 'snap.q', '1M')
  write('snap.q', 'write 0 256k')
  make('snapshot', '-c', 's', 'snap.q')
}
