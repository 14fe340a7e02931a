/**
 * A small durable map of this instance's slot and lane. Changes become durable together with the next acknowledged barrier, and are thrown
 * away when the instance is replaced before. All keys and values together: at most 64 KiB.
 */

import * as raw from 'tidegate:plugin/state@1.0.0';
import { asking, maybeBytes } from './border';
import { fatal } from './failure';

/** The value of a key. */
export const get = (key: string): Uint8Array | undefined => maybeBytes(raw.get(key));
/** Keeps a value; fatal when the map would become too large. */
export const set = (key: string, value: Uint8Array): void =>
  asking(() => raw.set(key, value), (reason) => fatal('state', `keeping ${key}: ${reason}`));
/** Forgets a key. */
export const remove = (key: string): void => raw.delete(key);
/** The keys with this prefix, in order. */
export const keys = (prefix = '', limit = 1000): string[] => raw.keys(prefix, limit);
