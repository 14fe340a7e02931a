/**
 * How a call fails as a whole: what a plugin throws decides what the host does next. Anything else that is thrown is fatal, with the
 * code `exception`; its stack goes to the log.
 */

export type FailureKind = 'retryable' | 'unknown' | 'fenced' | 'fatal' | 'unsupported';
export type Attrs = [string, string][];

export interface FailureMore {
  /** Of fatal and unsupported failures: a short name, stable for this plugin. */
  code?: string;
  /** Not before this many milliseconds; without it the host chooses. */
  afterMs?: number;
  attrs?: Attrs;
}

export class Failure extends Error {
  readonly code: string;
  readonly afterMs: number | undefined;
  readonly attrs: Attrs;

  constructor(readonly kind: FailureKind, message: string, more: FailureMore = {}) {
    super(message);
    this.code = more.code ?? 'error';
    this.afterMs = more.afterMs;
    this.attrs = more.attrs ?? [];
  }

  /** The same with what was being done in front of the message. */
  during(doing: string): Failure {
    const { code, attrs } = this;
    return new Failure(this.kind, `${doing}: ${this.message}`, this.afterMs === undefined ? { code, attrs } : { code, attrs, afterMs: this.afterMs });
  }
}

/** Nothing of the call took effect: the host hands the same input over again, later. */
export const retryable = (message: string, afterMs?: number): Failure =>
  new Failure('retryable', message, afterMs === undefined ? {} : { afterMs });
/** Whether it took effect is not known: the host asks `status` before anything else. */
export const unknownOutcome = (message: string): Failure => new Failure('unknown', message);
/** Another writer has taken over: this instance must never write again. */
export const fenced = (message: string): Failure => new Failure('fenced', message);
/** The changefeed stops in state `failed` and a person looks. */
export const fatal = (code: string, message: string): Failure => new Failure('fatal', message, { code });
/** This build of the plugin lacks what the input needs. */
export const unsupported = (code: string, message: string): Failure => new Failure('unsupported', message, { code });
