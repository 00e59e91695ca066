/** Mistakes that drivers make. Each is put into the mini format alone, and the suite must find it. */

/** What can be wrong, and the cases (by the beginning of their names) of which at least one must fail. */
export const miniBugs = {
  'probes everything': 'probing knows',
  'probe reads past the end': 'probing knows',
  'probe changes what it looks at': 'probing knows',
  'accepts unknown keys': 'an option of the wrong type',
  'opens by halves': 'an image that cannot be read',
  'short read': 'what was written is read',
  'writes outside the read buffer': 'a read fills',
  'keeps the buffer of the caller': 'the caller may use',
  'changes the data of the caller': 'the caller may use',
  'a new block keeps old bytes around the data': 'a small write',
  'unwritten blocks are not zero': 'a new image reads',
  'forgets to zero': 'zero writes read',
  'zeroes too much': 'zero writes that may unmap',
  'zeroes only in memory': 'zero writes that may unmap',
  'discard hits its neighbour': 'a discard touches',
  'says zero of data': 'extents cover',
  'says nothing of data': 'extents cover',
  'says zero with half the answer': 'extents cover',
  'table before data': 'a flushed write survives',
  'gives a lost place to another': 'what a power cut left',
  'flush forgets the table': 'a flushed write survives',
  'swallows write errors': 'a failing request',
  'swallows read errors': 'a read that fails',
  'loses one of two writes': 'requests that overtake',
  'growing shows old data': 'shrinking keeps',
  'shrinking cuts too much': 'shrinking keeps',
  'forgets the new length': 'growing keeps',
  'wrong length': 'what the image says',
  'check cries wolf': 'a check finds',
  'emptying empties nothing': 'an emptied image',
  'nonsense in info': 'what the image says',
  'creation swallows errors': 'a creation that fails',
  'creation forgets the size': 'a new image has the length',
  'not writable again': 'an open image switches',
} as const

/** One of them. */
export type MiniBug = keyof typeof miniBugs
