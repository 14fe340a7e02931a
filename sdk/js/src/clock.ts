/** The time, in sinks that were granted it. */

import * as raw from 'tidegate:plugin/clock@1.0.0';

/** Milliseconds since 1970. */
export const wallMs = (): number => Number(raw.wallMs());
/** Nanoseconds since some moment, which never go back; above 2^53 not to the last digit in QuickJS. */
export const monotonicNs = (): bigint => BigInt(raw.monotonicNs());
