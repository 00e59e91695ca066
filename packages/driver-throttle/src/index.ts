/** Limits on bytes and requests per second. */

export { type Clock, systemClock } from './clock.ts'
export { createThrottleDriver, throttle } from './driver.ts'
export { type LimitName, limitNames, type ThrottleLimits } from './limits.ts'
export type { ThrottleGroups, ThrottleOptions } from './options.ts'
export { type Direction, ThrottleGroup, type ThrottleMember } from './throttle-group.ts'
