/* Buffers and the text forms of values. */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void tg_buf_reserve(tg_buf *buf, size_t more) {
  if (more > SIZE_MAX / 2 - buf->len) tg_panic("a buffer grew without bound");
  size_t cap = buf->cap < 256 ? 256 : buf->cap;
  while (cap - buf->len < more) cap *= 2;
  uint8_t *ptr = realloc(buf->ptr, cap);
  if (ptr == NULL) tg_panic("out of memory");
  buf->ptr = ptr;
  buf->cap = cap;
}

void tg_buf_free(tg_buf *buf) {
  free(buf->ptr);
  *buf = (tg_buf){NULL, 0, 0};
}

void tg_buf_u64(tg_buf *buf, uint64_t n) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = '0' + n % 10;
    n /= 10;
  } while (n != 0);
  tg_buf_put(buf, digits + at, sizeof digits - at);
}

void tg_buf_i64(tg_buf *buf, int64_t n) {
  if (n < 0) tg_buf_byte(buf, '-');
  tg_buf_u64(buf, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void tg_buf_f64(tg_buf *buf, double v) {
  char text[32];
  int len = 0;
  for (int digits = 15; digits <= 17; digits++) {
    len = snprintf(text, sizeof text, "%.*g", digits, v);
    if (strtod(text, NULL) == v) break;
  }
  tg_buf_put(buf, text, (size_t)len);
}

void tg_buf_f32(tg_buf *buf, float v) {
  char text[32];
  int len = 0;
  for (int digits = 6; digits <= 9; digits++) {
    len = snprintf(text, sizeof text, "%.*g", digits, (double)v);
    if (strtof(text, NULL) == v) break;
  }
  tg_buf_put(buf, text, (size_t)len);
}

static void two(tg_buf *buf, uint32_t n) {
  uint8_t digits[2] = {'0' + n / 10 % 10, '0' + n % 10};
  tg_buf_put(buf, digits, 2);
}

static void fraction(tg_buf *buf, uint32_t micro, uint32_t fsp) {
  if (fsp == 0) return;
  tg_buf_byte(buf, '.');
  for (uint32_t scale = 100000; fsp > 0 && scale > 0; fsp--, scale /= 10) tg_buf_byte(buf, '0' + micro / scale % 10);
}

void tg_buf_date(tg_buf *buf, uint64_t packed) {
  two(buf, tgr1_year(packed) / 100 % 100);
  two(buf, tgr1_year(packed) % 100);
  tg_buf_byte(buf, '-');
  two(buf, tgr1_month(packed));
  tg_buf_byte(buf, '-');
  two(buf, tgr1_day(packed));
}

void tg_buf_datetime(tg_buf *buf, uint64_t packed, uint32_t fsp) {
  tg_buf_date(buf, packed);
  tg_buf_byte(buf, ' ');
  two(buf, tgr1_hour(packed));
  tg_buf_byte(buf, ':');
  two(buf, tgr1_minute(packed));
  tg_buf_byte(buf, ':');
  two(buf, tgr1_second(packed));
  fraction(buf, tgr1_micro(packed), fsp);
}

void tg_buf_duration(tg_buf *buf, int64_t micros, uint32_t fsp) {
  uint64_t size = micros < 0 ? -(uint64_t)micros : (uint64_t)micros, seconds = size / 1000000;
  if (micros < 0) tg_buf_byte(buf, '-');
  if (seconds / 3600 < 10) tg_buf_byte(buf, '0');
  tg_buf_u64(buf, seconds / 3600);
  tg_buf_byte(buf, ':');
  two(buf, seconds / 60 % 60);
  tg_buf_byte(buf, ':');
  two(buf, seconds % 60);
  fraction(buf, size % 1000000, fsp);
}

void tg_buf_base64(tg_buf *buf, tg_bytes data) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < data.len; at += 3) {
    size_t n = data.len - at < 3 ? data.len - at : 3;
    uint32_t bits = data.ptr[at] << 16 | (n > 1 ? data.ptr[at + 1] << 8 : 0) | (n > 2 ? data.ptr[at + 2] : 0);
    uint8_t out[4] = {digits[bits >> 18], digits[bits >> 12 & 63], n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='};
    tg_buf_put(buf, out, 4);
  }
}
