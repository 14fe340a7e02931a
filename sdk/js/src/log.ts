/** The host's log. Rate-limited by the host. */

import * as raw from 'tidegate:plugin/log@1.0.0';

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Whether a message of this level is kept; ask before building a dear one. */
export const enabled = (level: Level): boolean => raw.enabled(level);

export function log(level: Level, message: string, fields: Record<string, unknown> = {}): void {
  raw.log(level, message, Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
export const debug = (message: string, fields?: Record<string, unknown>): void => log('debug', message, fields);
export const info = (message: string, fields?: Record<string, unknown>): void => log('info', message, fields);
export const warn = (message: string, fields?: Record<string, unknown>): void => log('warn', message, fields);
export const error = (message: string, fields?: Record<string, unknown>): void => log('error', message, fields);
