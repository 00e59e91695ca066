// The suite is worth what it finds: a good driver passes every case, and each planted mistake fails the case that is
// meant to find it. Cases that cannot be tried say so in their names.
import { describe, expect, test } from 'vitest'
import type { AnyDriver } from '../../../src/driver.ts'
import { contractCases } from '../../../src/testing/contract/contract.ts'
import { driverContract } from '../../../src/testing/contract/driver-contract.ts'
import { failure } from '../../helpers/world.ts'
import { type MiniBug, miniBugs } from './mini-bugs.ts'
import { miniDriver } from './mini-format.ts'

const can = { check: true, makeEmpty: true, switchMode: true, shrink: true }

describe('a driver without mistakes', () => {
  const cases = contractCases(driverContract(miniDriver(), { can }))
  for (const { name, run } of cases) test(name, run)

  test('names tell cases apart, and what is skipped says why', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
    expect(cases.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [name]))).toEqual([
      'backing files (skipped: the driver has none)',
    ])
  })
})

describe('a planted mistake is found', () => {
  test.each(Object.entries(miniBugs))('%s', async (bug, expected) => {
    const cases = contractCases(driverContract(miniDriver(bug as MiniBug), { can }))
    const finders = cases.filter(({ name }) => name.startsWith(expected))
    const failures = await Promise.all(finders.map(({ run }) => failure(run())))
    expect(failures.filter((message) => message !== 'no failure')).not.toEqual([])
  })
})

describe('what a contract leaves out', () => {
  test('a driver that cannot write is asked to refuse, and the rest is skipped by name', () => {
    const names = contractCases(driverContract(miniDriver(), { can: { write: false } })).map(({ name }) => name)
    expect(names).toContain('writing is refused and changes nothing')
    expect(names.filter((name) => name.endsWith('(skipped: the driver cannot write)')).length).toBeGreaterThan(7)
  })

  test('without storage the cases that need it are skipped by name', async () => {
    const { make } = driverContract(miniDriver())
    const cases = contractCases({ make })
    const skipped = cases.filter(({ skipped }) => skipped !== undefined)
    expect(skipped.map(({ name }) => name)).toContain(
      'a flushed write survives every power cut (skipped: the contract names no storage beneath the driver)',
    )
    for (const { run } of skipped) await run()
  })

  test('what a driver lacks without a word about it fails with advice', async () => {
    const driver = miniDriver()
    const fixed = {
      ...driver,
      open: async (...given: Parameters<AnyDriver['open']>) => {
        const layer = await driver.open(...given)
        return Object.assign(layer, { writer: { ...layer.writer, truncate: undefined } })
      },
    }
    const growing = contractCases(driverContract(fixed)).find(({ name }) => name.startsWith('growing keeps'))
    expect(await failure(growing!.run())).toBe(
      'Image format driver does not support resize; what the driver is not to do has to be declared, as in can: { truncate: false } (see DriverAbilities)',
    )
  })

  test('the seed stands in the names', () => {
    const names = contractCases(driverContract(miniDriver(), { seed: 99 })).map(({ name }) => name)
    expect(names.filter((name) => name.includes('(seed 99)')).length).toBeGreaterThan(3)
  })
})
