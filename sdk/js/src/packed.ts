/** Dates and times as rows carry them. */

const two = (n: number): string => (n < 10 ? '0' : '') + n;
const fraction = (micro: number, fsp: number): string => (fsp > 0 ? '.' + String(micro).padStart(6, '0').slice(0, fsp) : '');

/** A date, datetime or timestamp, which may have zero parts. */
export class PackedTime {
  private readonly date: number;
  private readonly clock: number;

  constructor(readonly bits: bigint) {
    // Both halves are small enough to be exact: 23 bits of date, 41 of clock.
    this.date = Number(bits >> 41n);
    this.clock = Number(bits & 0x1ffffffffffn);
  }

  static of(year: number, month: number, day: number, hour = 0, minute = 0, second = 0, micro = 0): PackedTime {
    const clock = BigInt(hour) << 36n | BigInt(minute) << 30n | BigInt(second) << 24n | BigInt(micro);
    return new PackedTime(BigInt(year * 13 + month) << 46n | BigInt(day) << 41n | clock);
  }

  get year(): number { return Math.floor((this.date >> 5) / 13); }
  get month(): number { return (this.date >> 5) % 13; }
  get day(): number { return this.date & 31; }
  get hour(): number { return Math.floor(this.clock / 2 ** 36); }
  get minute(): number { return Math.floor(this.clock / 2 ** 30) % 64; }
  get second(): number { return Math.floor(this.clock / 2 ** 24) % 64; }
  get micro(): number { return this.clock % 2 ** 24; }

  /** `2020-02-20` */
  dateText(): string {
    return `${String(this.year).padStart(4, '0')}-${two(this.month)}-${two(this.day)}`;
  }

  /** `2020-02-20 02:20:20.123456` with `fsp` fraction digits (at most 6; further ones are cut, not rounded). */
  text(fsp = 6): string {
    return `${this.dateText()} ${two(this.hour)}:${two(this.minute)}:${two(this.second)}${fraction(this.micro, fsp)}`;
  }

  /** As the language has it, read as UTC and cut to milliseconds; null when a part of the date is zero. */
  toDate(): Date | null {
    if (this.month === 0 || this.day === 0) return null;
    const date = new Date(0);
    date.setUTCFullYear(this.year, this.month - 1, this.day);
    date.setUTCHours(this.hour, this.minute, this.second, Math.floor(this.micro / 1000));
    return date;
  }

  toString(): string { return this.text(this.micro === 0 ? 0 : 6); }
}

/** A TIME of signed microseconds, `-HH:MM:SS.ffffff` with at least two hour digits. */
export function durationText(micros: bigint, fsp = 6): string {
  const size = micros < 0n ? -micros : micros;
  const seconds = Number(size / 1000000n);
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return (micros < 0n ? '-' : '') + text + fraction(Number(size % 1000000n), fsp);
}
