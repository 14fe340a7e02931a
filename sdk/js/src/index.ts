/**
 * What a Tidegate plugin written in JavaScript or TypeScript is made of.
 *
 * Does: types for everything that crosses the border, typed rows, the mapping of exceptions. Capabilities are modules of their own:
 * `tidegate/sql`, `tidegate/producer`, `tidegate/object-store`, `tidegate/http`, `tidegate/state`, `tidegate/secret`, `tidegate/clock`,
 * `tidegate/metrics`; `log` is here.
 * Does not: any IO of its own. There are no timers, no fetch, no `Date.now()`, no `Math.random()`.
 */

export * from './dispatcher';
export * from './failure';
export { settings } from './border';
export * from './json';
export * as log from './log';
export * from './packed';
export * from './rows';
export * from './sink';
export * from './table';
export * from './text';
export * as tgr1 from './tgr1';
export * from './transform';
export * from './writer';
