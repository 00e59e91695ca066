/** The folder of images that the descriptions are about; made by the reference, so that both sides read what it wrote. */
import { writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { mustSucceed, run } from '../../scripts/lib/workspace.ts'

/** Makes the images in `folder`. */
export function makeImages(folder: string): void {
  const img = (...args: string[]): void => void mustSucceed(`qemu-img ${args.join(' ')}`, run('qemu-img', args, folder))
  const io = (format: string, file: string, ...commands: string[]): void => {
    const args = ['-f', format, ...commands.flatMap((command) => ['-c', command]), file]
    mustSucceed(`qemu-io ${args.join(' ')}`, run('qemu-io', args, folder))
  }
  const overlay = (file: string, backing: string, format = 'qcow2'): void =>
    img('create', '-q', '-f', 'qcow2', '-u', '-b', backing, '-F', format, file, '1M')
  mkdirSync(join(folder, 'sub'))
  img('create', '-q', '-f', 'raw', 'r', '1M')
  io('raw', 'r', 'write -P 1 0 64k', 'write -P 2 512k 5000')
  img('create', '-q', '-f', 'qcow2', 'base', '1M')
  io('qcow2', 'base', 'write -P 3 0 128k')
  overlay('mid', 'base')
  io('qcow2', 'mid', 'write -P 4 64k 64k')
  overlay('top', 'mid')
  io('qcow2', 'top', 'write -P 5 100k 10k')
  overlay('sub/over', '../top')
  io('qcow2', 'sub/over', 'write -P 6 900k 4k')
  overlay('lost', 'nowhere')
  overlay('onJsonBase', 'json:{"driver":"qcow2","file":{"driver":"file","filename":"base"}}')
  overlay('sub/onPrefix', 'file:../top')
  img('convert', '-O', 'raw', 'r', 'copy')
  img('convert', '-O', 'raw', 'top', 'flat')
  img('create', '-q', '-f', 'raw', 'log', '1M')
  for (const file of ['./a:b', 'sub/c:d', 'with,comma', 'json:x'])
    img('create', '-q', '-f', 'qcow2', `file:${file}`, '1M')
  writeFileSync(join(folder, 'short'), 'a thousand bytes or so '.repeat(44))
  writeFileSync(join(folder, 'empty'), '')
  writeFileSync(join(folder, 'broken'), Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 9))
  writeFileSync(join(folder, 'rules'), '[inject-error]\nevent = "write_aio"\nerrno = "28"\n')
}
