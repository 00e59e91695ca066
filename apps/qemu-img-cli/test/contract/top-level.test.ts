// Proves that what stands before the command, and what no command can be made of, is answered as by the reference.

import { runTable } from './run-table.ts'

runTable('top level', ['', 'foo', "''", '-x', '--foo', '-T', '--', '-- info', 'infos q', 'Info q', '--version=3'])

runTable(
  'option parsing',
  [
    'create -qZ',
    'create -f qcow2 -Zq a',
    'create -Zq a',
    'create x -f qcow2 -Zq a',
    'create -qf',
    'create --obj',
    'create --object',
    'info --bogus q',
    'info --image-opts=3 q',
    'info --out',
    'info --out=json r',
    'info --back --out json top',
    'convert --target q r',
    'convert --im --ta q r',
    'info -fqcow2 q',
    'info q -f qcow2',
    'info -f qcow2 -- q',
    'compare -pqs q q',
    'compare -Z q q',
    'check -rfoo q',
    'info -f',
    'info -Uf raw r',
  ],
  (text) => text.replace(/^disk size: .*$/gm, '').replace(/"actual-size": \d+/g, ''),
)

runTable('objects', [
  'info --object foo r',
  'info --object secret r',
  'info --object secret,id=1x r',
  'info --object secret,id=s r',
  'info --object secret,id=s,data=a,foo=1 r',
  'info --object secret,id=s,data=a --object secret,id=s,data=a r',
  'info --object {} r',
  'info --object secret,help r',
  'info --object secret,id=s,data=a,file=b r',
  'info --object secret,id=s,data=a,format=foo r',
  'info --object secret,id=s,data=!!,format=base64 r',
  'info --object secret,id=s,data r',
  `check --object '{"qom-type":"secret","id":"s","data":"x"}' q`,
  `check --object '{"qom-type":"secret","id"' q`,
  'compare --object foo q q',
  'compare --object secret,id=s0,data=x q q',
  'compare --bogus q q',
])
