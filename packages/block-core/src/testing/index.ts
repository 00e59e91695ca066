export { contractCases } from './contract/contract.ts'
export { type DriverContractOptions, driverContract } from './contract/driver-contract.ts'
export type {
  ContractCase,
  ContractImage,
  ContractStorage,
  CreationValues,
  DriverAbilities,
  DriverContract,
  StoredImage,
  StoredOpenOptions,
} from './contract/types.ts'
export * from './crash/index.ts'
export * from './fault-plan.ts'
export * from './memory-driver.ts'
export * from './memory-files.ts'
export * from './patterns.ts'
export * from './power-loss.ts'
export * from './sector-history.ts'
export * from './seed.ts'
