/** Counters and gauges. Make them in `open`: hot calls carry a number only. */

import * as raw from 'tidegate:plugin/metrics@1.0.0';
import { lowerU64 } from './border';

/** A count that only grows. */
export class Counter {
  private readonly raw: raw.Counter;
  constructor(name: string) { this.raw = new raw.Counter(name); }
  add(n = 1n): void { this.raw.add(lowerU64(n)); }
}

/** A value that goes up and down. */
export class Gauge {
  private readonly raw: raw.Gauge;
  constructor(name: string) { this.raw = new raw.Gauge(name); }
  set(v: number): void { this.raw.set(v); }
}
