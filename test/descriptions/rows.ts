/** Node descriptions that both sides are given: names with prefixes, option strings, `json:` names; good ones and bad ones. */

/** One description. */
export interface Row {
  /** The operand, as a user types it in the folder of `images.ts`. */
  readonly text: string
  /** The operand is an option string (`--image-opts`). */
  readonly imageOpts?: boolean
  /** `-f` of the command line. */
  readonly format?: string
  /** The content is undefined, or too long to compare. */
  readonly unread?: boolean
}

/** A plain name or a `json:` name. */
const name = (text: string, format?: string): Row => (format === undefined ? { text } : { text, format })

/** An option string. */
const opts = (text: string): Row => ({ text, imageOpts: true })

const json = (tree: unknown, format?: string): Row => name(`json:${JSON.stringify(tree)}`, format)

const r = { driver: 'file', filename: 'r' }
const top = { driver: 'file', filename: 'top' }

/** Plain names, prefixes, formats given and guessed. */
export const names: readonly Row[] = [
  name('r'),
  name('r', 'raw'),
  name('r', 'file'),
  name('top'),
  name('top', 'qcow2'),
  name('top', 'raw'),
  name('./top'),
  name('sub/over'),
  name('file:top'),
  name('file:./a:b'),
  name('file:a:b'),
  name('./a:b'),
  name('sub/c:d'),
  name('short', 'raw'),
  name('short'),
  name('empty'),
  name('blkdebug::r'),
  name('blkdebug::top'),
  name('blkdebug:rules:top', 'qcow2'),
  name('blkdebug::file:top'),
  name('blkdebug::blkdebug::r'),
  name('onJsonBase'),
  name('sub/onPrefix'),
]

/** Names that no one can open. */
export const badNames: readonly Row[] = [
  name(''),
  name('sub'),
  name('nowhere'),
  name('sub/nowhere', 'qcow2'),
  name('a:b'),
  name('raw:r'),
  name('qcow2:top'),
  name(':r'),
  name('r', 'qcow2'),
  name('r', 'nonsense'),
  name('r', ''),
  name('file:'),
  name('file:file:r'),
  name('file:///nowhere'),
  name('blkdebug:r'),
  name('blkdebug'),
  name('blkdebug:norules:r'),
  name('broken'),
]

/** Option strings. */
export const optionStrings: readonly Row[] = [
  opts('driver=raw,file.filename=r'),
  opts('driver=raw,file.driver=file,file.filename=r,offset=64k'),
  opts('driver=raw,file.filename=r,size=128k'),
  opts('driver=raw,file.filename=r,offset=1k,size=0x1000'),
  opts('driver=raw,file.filename=r,offset=1000'),
  opts('driver=raw,offset=512,file.driver=raw,file.offset=512,file.file.filename=r'),
  opts('driver=file,filename=r'),
  opts('file.filename=r'),
  opts('file.filename=top,'),
  opts('file.filename=r,file.filename=top'),
  opts('driver=qcow2,file.filename=top'),
  opts('driver=qcow2,file.driver=raw,file.file.filename=top'),
  opts('driver=qcow2,file.filename=top,lazy-refcounts=on,l2-cache-size=1M,cache-clean-interval=0'),
  opts('driver=qcow2,file.filename=top,overlap-check=none,pass-discard-request=on'),
  opts('driver=qcow2,file.filename=top,read-only=on,auto-read-only=on,cache.no-flush=on'),
  opts('driver=qcow2,file.filename=top,discard=unmap,detect-zeroes=unmap,file.locking=off'),
  opts('driver=qcow2,node-name=n1,file.node-name=n2,file.filename=top,backing.node-name=n3'),
  opts('driver=qcow2,file.filename=with,,comma'),
  opts('driver=qcow2,file.filename=a:b'),
  opts('driver=raw,file.filename=json:x'),
  opts('driver=qcow2,file.driver=blkdebug,file.image.filename=top,file.inject-error.0.event=l2_update'),
  opts('driver=qcow2,file.driver=blkdebug,file.config=rules,file.image.filename=top'),
  opts('driver=blkdebug,image.filename=r,align=4k,max-transfer=64k'),
  opts(
    'driver=blkdebug,image.filename=r,inject-error.0.event=write_aio,inject-error.0.errno=28,inject-error.1.event=none,inject-error.1.iotype=discard',
  ),
  opts('driver=blkdebug,image.driver=qcow2,image.file.filename=top,set-state.0.event=l2_load,set-state.0.new_state=2'),
  opts('driver=blkdebug,image.filename=r,inject-error.event=write_aio'),
]

/** Option strings that are wrong. */
export const badOptionStrings: readonly Row[] = [
  opts(''),
  opts('driver=raw'),
  opts('driver=qcow2'),
  opts('read-only=on'),
  opts('driver=,file.filename=r'),
  opts('driver=nonsense,file.filename=r'),
  opts('driver=file'),
  opts('driver=file,filename='),
  opts('file.driver=file'),
  opts('filename=r'),
  opts('r'),
  opts('file=r'),
  opts('file=r,file.filename=r'),
  opts('driver=raw,file=r'),
  opts('driver=qcow2,file.filename=top,backing=nowhere,bogus=1'),
  opts('driver=raw,file.filename=r,bogus=1'),
  opts('driver=raw,file.filename=r,file.bogus=1'),
  opts('driver=raw,file.filename=r,zeta=1,alpha=2,beta=3'),
  opts('driver=file,filename=r,bogus'),
  opts('driver=raw,file.filename=r,read-only=maybe'),
  opts('driver=raw,file.filename=r,cache.direct=2'),
  opts('driver=raw,file.filename=r,cache.writeback=on'),
  opts('driver=raw,file.filename=r,discard=foo'),
  opts('driver=raw,file.filename=r,detect-zeroes=foo'),
  opts('driver=raw,file.filename=r,detect-zeroes=unmap'),
  opts('driver=raw,file.filename=r,node-name=1foo'),
  opts('driver=raw,file.filename=r,node-name='),
  opts('driver=raw,file.filename=r,node-name=a2345678901234567890123456789012'),
  opts('driver=raw,file.filename=r,node-name=n,file.node-name=n'),
  opts('driver=raw,file.filename=r,offset=2M'),
  opts('driver=raw,file.filename=r,offset=512k,size=1M'),
  opts('driver=raw,file.filename=r,size=1000'),
  opts('driver=raw,file.filename=r,size=x'),
  opts('driver=raw,file.filename=r,size=-1'),
  opts('driver=raw,file.filename=r,backing.file.filename=r'),
  opts('driver=raw,file.filename=r,backing=r'),
  opts('driver=raw,file.filename=r,file.locking=foo'),
  opts('driver=raw,file.filename=r,file.aio=foo'),
  opts('driver=raw,file.filename=r,file.read-only=off,copy-on-read=on'),
  opts('driver=raw,file.filename=r,id=x'),
  opts('driver=qcow2,file.filename=top,overlap-check=foo'),
  opts('driver=qcow2,file.filename=top,cache-size=1k,l2-cache-size=2k'),
  opts('driver=qcow2,file.filename=top,lazy-refcounts=2'),
  opts('driver=qcow2,file.filename=r'),
  opts('driver=qcow2,file.driver=qcow2,file.file.filename=r'),
  opts('driver=blkdebug,image.filename=r,align=3'),
  opts('driver=blkdebug,image.filename=r,inject-error.1.event=none'),
  opts('driver=blkdebug,image.filename=r,inject-error.0.errno=5'),
  opts('driver=blkdebug,image.filename=r,inject-error.0.event=nonsense'),
  opts('driver=blkdebug'),
  opts('driver=blkdebug,image=r'),
  opts('driver=blkdebug,x-image=r,image.filename=r'),
]

/** Backing files in the user's words. */
export const backings: readonly Row[] = [
  opts('driver=qcow2,file.filename=top,backing='),
  opts('driver=qcow2,file.filename=top,backing.driver=raw,backing.file.filename=r'),
  opts('driver=qcow2,file.filename=top,backing.file.locking=off'),
  opts('driver=qcow2,file.filename=top,backing.driver=qcow2'),
  opts('driver=qcow2,file.filename=top,backing.backing.driver=raw,backing.backing.file.filename=r'),
  opts('driver=qcow2,file.filename=top,backing.file.driver=blkdebug'),
  opts('driver=qcow2,file.filename=base,backing.driver=raw,backing.file.filename=r'),
  opts('driver=qcow2,file.filename=base,backing.driver=qcow2'),
  opts('driver=qcow2,file.filename=top,backing=n9'),
  opts('driver=qcow2,file.filename=top,backing=n9,backing.driver=raw'),
  opts('driver=qcow2,file.filename=top,backing.file=n9'),
  opts('driver=qcow2,file.filename=top,backing.file.filename=nowhere'),
  opts('driver=qcow2,file.filename=top,backing.bogus=1'),
  json({ driver: 'qcow2', file: top, backing: null }),
  json({ driver: 'qcow2', file: top, backing: '' }),
  json({ driver: 'qcow2', file: top, backing: { driver: 'raw', file: r } }),
  json({ driver: 'qcow2', file: { driver: 'file', filename: 'lost' } }),
  json({ driver: 'qcow2', file: { driver: 'file', filename: 'lost' }, backing: null }),
]

/** `json:` names. */
export const jsonNames: readonly Row[] = [
  json({ driver: 'raw', file: r }),
  json({ driver: 'raw', 'file.driver': 'file', 'file.filename': 'r' }),
  json({ driver: 'raw', 'file.driver': 'file', file: { filename: 'r' } }),
  json({ file: { filename: 'r' } }),
  json({ file: { driver: 'file', filename: 'top' }, driver: null }),
  json({ file: { driver: 'file', filename: 'top' }, driver: 7 }),
  json({ driver: 'file', filename: 'r' }),
  json({ driver: 'raw', file: r, offset: 512 }),
  json({ driver: 'raw', file: r, offset: '512', size: '4k' }),
  json({ driver: 'raw', file: r, offset: '1k', size: 4096 }),
  json({ driver: 'raw', file: r, 'read-only': true }),
  json({ driver: 'raw', file: r, 'read-only': 'yes' }),
  json({ driver: 'qcow2', file: top, 'lazy-refcounts': true, 'overlap-check': { template: 'all' } }),
  json({ driver: 'qcow2', file: top }, 'raw'),
  json({ driver: 'raw', file: top }, 'qcow2'),
  json({ driver: 'nonsense', file: top }, 'qcow2'),
  json({ driver: 'blkdebug', image: r, 'inject-error': [{ event: 'write_aio', errno: 5, once: true }], align: 4096 }),
  json({ driver: 'qcow2', file: { driver: 'blkdebug', image: top, 'inject-error': [{ event: 'l2_update' }] } }),
  name("json: {'driver' : 'raw', 'file':{'filename':'r','driver':'file'} } "),
  name('json:{"driver":"raw","file":{"driver":"file","filename":"\\u0072"}}'),
  name('blkdebug::json:{"driver":"raw","file":{"driver":"file","filename":"r"}}'),
  name('file:json:x', 'raw'),
  json({ driver: 'raw', file: { driver: 'file', filename: 'file:r' } }),
]

/** `json:` names that are wrong. */
export const badJsonNames: readonly Row[] = [
  name('json:'),
  name('json:{'),
  name('json:[]'),
  name('json:7'),
  name('json:"r"'),
  name('json:{"driver":"raw",}'),
  name('json:{"driver":"raw"} x'),
  name('json:{"driver":"raw","driver":"raw"}'),
  name('json:{"driver":nil}'),
  name('json:{driver}'),
  name('json:{"driver":"raw" "file":"x"}'),
  json({}),
  json({ driver: 'raw' }),
  json({ driver: 'raw', file: 'n9' }),
  json({ driver: 'raw', file: 'n9', 'file.filename': 'r' }),
  json({ driver: 'raw', file: null }),
  json({ driver: 'raw', file: 3 }),
  json({ driver: 'raw', file: r, bogus: [] }),
  json({ driver: 'raw', file: r, bogus: {} }),
  json({ driver: 'raw', file: r, bogus: { deep: { er: 1 } } }),
  json({ driver: 'raw', file: r, offset: 'x' }),
  json({ driver: 'raw', file: r, offset: -512 }),
  json({ driver: 'raw', file: r, 'read-only': 7 }),
  json({ driver: 'raw', file: r, 'node-name': 7 }),
  json({ driver: 'file', filename: 'r', x: 1 }),
  json({ driver: 'blkdebug', image: r, 'inject-error': [] }),
  json({ driver: 'file', filename: 7 }),
]

/** Rows for the small drivers, each by the name of the package that has them. */
export const smallDrivers: Readonly<Record<string, readonly Row[]>> = {
  'driver-null': [
    { text: 'null-co://', unread: true },
    { text: 'null-aio://', format: 'null-aio', unread: true },
    { text: 'driver=null-co,size=5M', imageOpts: true, unread: true },
    name('null-co:r'),
    name('null-co://x'),
    opts('driver=null-co,size=4k,read-zeroes=on'),
    opts('driver=null-aio,size=1M,read-zeroes=on,latency-ns=1'),
    opts('driver=raw,file.driver=null-co,file.size=64k,file.read-zeroes=on'),
    opts('driver=raw,offset=1k,file.driver=null-co,file.size=64k,file.read-zeroes=on'),
    json({ driver: 'null-co', size: 5000, 'read-zeroes': true }),
    json({ driver: 'null-co', size: '1M', 'read-zeroes': 'on' }),
    opts('driver=null-co,latency-ns=-1'),
    opts('driver=null-co,bogus=1'),
    opts('driver=null-co,file.filename=r'),
  ],
  'host_device of driver-file': [
    name('host_device:r'),
    opts('driver=host_device,filename=r'),
    opts('driver=raw,file.driver=host_device,file.filename=nowhere'),
  ],
  'driver-quorum': [
    opts('driver=quorum,children.0.file.filename=r,vote-threshold=1'),
    opts('driver=quorum,children.0.file.filename=r,children.1.driver=raw,children.1.file.filename=r,vote-threshold=2'),
    opts(
      'driver=quorum,children.0.driver=file,children.0.filename=r,children.1.driver=raw,children.1.file.filename=r,vote-threshold=1',
    ),
    json({
      driver: 'quorum',
      children: [
        { driver: 'raw', file: r },
        { driver: 'raw', file: r },
      ],
      'vote-threshold': 2,
    }),
    json({ driver: 'qcow2', file: { driver: 'quorum', children: [top], 'vote-threshold': 1 }, backing: null }),
    json({ driver: 'qcow2', file: { driver: 'quorum', children: [top], 'vote-threshold': 1 } }),
    opts('driver=quorum,children.0.file.filename=r,children.2.file.filename=r,vote-threshold=1'),
    opts('driver=quorum,children.file.filename=r,vote-threshold=1'),
    opts('driver=quorum,vote-threshold=1'),
    opts('driver=quorum,children.0.file.filename=r'),
    opts('driver=quorum,children.0.file.filename=r,vote-threshold=2'),
    opts('driver=quorum,children.0.file.filename=r,vote-threshold=0'),
    opts('driver=quorum,children.0=n9,vote-threshold=1'),
    opts('driver=quorum,children=n9,vote-threshold=1'),
    opts('driver=quorum,children.1.file.filename=r,vote-threshold=1'),
    opts('driver=quorum,children.0.file.filename=r,children.bogus=1,vote-threshold=1'),
    json({ driver: 'quorum', children: [{}], 'vote-threshold': 1 }),
    json({ driver: 'quorum', children: [], 'vote-threshold': 1 }),
    opts('driver=quorum,children.0.file.filename=nowhere,vote-threshold=1'),
  ],
  'driver-blkverify': [
    name('blkverify:r:copy'),
    name('blkverify:flat:top'),
    opts('driver=blkverify,raw.filename=r,test.file.filename=copy'),
    opts('driver=blkverify,raw.filename=flat,test.driver=qcow2,test.file.filename=top'),
    json({ driver: 'qcow2', file: { driver: 'blkverify', raw: top, test: top } }),
    json({ driver: 'qcow2', file: { driver: 'blkverify', raw: top, test: top }, backing: null }),
    name('blkverify:r'),
    opts('driver=blkverify,raw.filename=r'),
    opts('driver=blkverify,test.file.filename=r'),
    name('blkverify:nowhere:r'),
  ],
  'driver-blklogwrites': [
    opts('driver=blklogwrites,file.filename=r,log.filename=log'),
    opts('driver=blklogwrites,file.filename=r,log.filename=log,log-sector-size=4096'),
    opts('driver=blklogwrites,file.driver=qcow2,file.file.filename=top,log.driver=raw,log.file.filename=log'),
    opts('driver=blklogwrites,file.filename=r,log.filename=log,log-append=on'),
    opts('driver=blklogwrites,file.filename=r,log.filename=nowhere'),
    opts('driver=blklogwrites,file.filename=r'),
    opts('driver=blklogwrites,log.filename=log'),
    opts('driver=blklogwrites,file.filename=r,log.filename=log,log-sector-size=1000'),
  ],
  'driver-throttle': [
    opts('driver=throttle,throttle-group=g,file.filename=r'),
    opts('driver=throttle,file.filename=r'),
    opts('driver=throttle,throttle-group=g'),
  ],
  'driver-copy-on-read': [
    opts('driver=copy-on-read,file.driver=qcow2,file.file.filename=top'),
    opts('driver=copy-on-read'),
  ],
  'driver-compress': [
    opts('driver=compress,file.driver=qcow2,file.file.filename=top'),
    opts('driver=compress,file.filename=top'),
    opts('driver=compress,file.driver=raw,file.file.filename=r'),
    opts('driver=compress'),
    opts('driver=compress,file.driver=qcow2,file.file.filename=top,bogus=1'),
  ],
  'driver-preallocate': [
    opts('driver=preallocate,file.filename=r'),
    opts('driver=raw,file.driver=preallocate,file.file.filename=r'),
    opts('driver=qcow2,file.driver=preallocate,file.file.filename=top'),
    opts('driver=preallocate,file.filename=r,prealloc-align=1000'),
    opts('driver=preallocate,prealloc-align=1M,prealloc-size=8M,file.filename=r'),
    opts('driver=preallocate'),
  ],
}

/** Not alike on purpose: the reference ignores a `backing` that is neither a name, an object nor null; we refuse it. */
export const refusedByUs: readonly Row[] = [
  json({ driver: 'qcow2', file: top, backing: {} }),
  json({ driver: 'qcow2', file: top, backing: false }),
]
