/* JSON of values, and members of small objects. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>

static const char HEX[] = "0123456789abcdef";

/* Length of the UTF-8 sequence at p, at most `left` bytes; 0: it is none. */
static size_t utf8(const uint8_t *p, size_t left) {
  size_t n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80) return 0;
  }
  /* Overlong forms, surrogates and what lies beyond Unicode. */
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
    return 0;
  }
  return n;
}

/* Bytes at p that stand for themselves: eight at a time while none is a quote, a backslash, a control or beyond ASCII. */
static size_t plain(const uint8_t *p, size_t len) {
  const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
  size_t at = 0;
  for (; at + 8 <= len; at += 8) {
    uint64_t w = tgr1_u64(p + at), quote = w ^ ones * '"', slash = w ^ ones * '\\';
    if (((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & high) != 0) break;
  }
  while (at < len && p[at] >= 0x20 && p[at] < 0x80 && p[at] != '"' && p[at] != '\\') at++;
  return at;
}

static void escape(tg_buf *buf, uint8_t c) {
  switch (c) {
  case '"': TG_BUF_LITERAL(buf, "\\\""); return;
  case '\\': TG_BUF_LITERAL(buf, "\\\\"); return;
  case '\n': TG_BUF_LITERAL(buf, "\\n"); return;
  case '\r': TG_BUF_LITERAL(buf, "\\r"); return;
  case '\t': TG_BUF_LITERAL(buf, "\\t"); return;
  }
  uint8_t text[6] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
  tg_buf_put(buf, text, sizeof text);
}

void tg_buf_json_str(tg_buf *buf, tg_str text) {
  const uint8_t *p = (const uint8_t *)text.ptr;
  tg_buf_byte(buf, '"');
  for (size_t at = 0; at < text.len;) {
    size_t n = plain(p + at, text.len - at);
    if (n == 0 && p[at] >= 0x80) n = utf8(p + at, text.len - at);
    if (n > 0) {
      tg_buf_put(buf, p + at, n);
      at += n;
      continue;
    }
    if (p[at] >= 0x80) {
      TG_BUF_LITERAL(buf, "\\ufffd");
    } else {
      escape(buf, p[at]);
    }
    at++;
  }
  tg_buf_byte(buf, '"');
}

static void number(tg_buf *buf, double v, bool single) {
  if (!isfinite(v)) {
    TG_BUF_LITERAL(buf, "null");
  } else if (single) {
    tg_buf_f32(buf, (float)v);
  } else {
    tg_buf_f64(buf, v);
  }
}

static void set_text(tg_buf *buf, const tg_column *column, uint64_t bits) {
  tg_buf members = {NULL, 0, 0};
  for (size_t i = 0; i < column->members.len && i < 64; i++) {
    if ((bits >> i & 1) == 0) continue;
    if (members.len > 0) tg_buf_byte(&members, ',');
    tg_buf_str(&members, column->members.ptr[i]);
  }
  tg_buf_json_str(buf, (tg_str){(const char *)members.ptr, members.len});
  tg_buf_free(&members);
}

static void unsigned_value(tg_buf *buf, const tg_column *column, uint8_t logical, uint64_t v, uint32_t fsp) {
  switch (logical) {
  case TGR1_LOGICAL_DATE:
    tg_buf_byte(buf, '"');
    tg_buf_date(buf, v);
    tg_buf_byte(buf, '"');
    return;
  case TGR1_LOGICAL_DATETIME:
  case TGR1_LOGICAL_TIMESTAMP:
    tg_buf_byte(buf, '"');
    tg_buf_datetime(buf, v, fsp);
    tg_buf_byte(buf, '"');
    return;
  case TGR1_LOGICAL_ENUM: tg_buf_json_str(buf, tg_enum_text(column, v)); return;
  case TGR1_LOGICAL_SET: set_text(buf, column, v); return;
  default: tg_buf_u64(buf, v);
  }
}

static void bytes_value(tg_buf *buf, uint8_t logical, tg_bytes v) {
  switch (logical) {
  case TGR1_LOGICAL_JSON: tg_buf_put(buf, v.ptr, v.len); return;
  case TGR1_LOGICAL_BYTES:
    tg_buf_byte(buf, '"');
    tg_buf_base64(buf, v);
    tg_buf_byte(buf, '"');
    return;
  case TGR1_LOGICAL_VECTOR:
    tg_buf_byte(buf, '[');
    for (size_t at = 0; at + 4 <= v.len; at += 4) {
      float f;
      memcpy(&f, v.ptr + at, 4);
      if (at > 0) tg_buf_byte(buf, ',');
      number(buf, (double)f, true);
    }
    tg_buf_byte(buf, ']');
    return;
  default: tg_buf_json_str(buf, (tg_str){(const char *)v.ptr, v.len});
  }
}

tg_error tg_json_value(tg_buf *buf, const tg_rows *rows, tgr1_image image, uint32_t col) {
  const tg_column *column = tg_column_of(rows, col);
  uint32_t fsp = column->decimals.some ? column->decimals.value : 0;
  tg_value v;
  tg_error error = tg_get(rows, image, col, &v);
  if (error != NULL) return error;
  switch (v.kind) {
  case TG_V_NULL: TG_BUF_LITERAL(buf, "null"); break;
  case TG_V_INT:
    if (v.logical == TGR1_LOGICAL_TIME) {
      tg_buf_byte(buf, '"');
      tg_buf_duration(buf, v.i, fsp);
      tg_buf_byte(buf, '"');
    } else {
      tg_buf_i64(buf, v.i);
    }
    break;
  case TG_V_UINT: unsigned_value(buf, column, v.logical, v.u, fsp); break;
  case TG_V_FLOAT: number(buf, v.f, v.logical == TGR1_LOGICAL_FLOAT32); break;
  case TG_V_BYTES: bytes_value(buf, v.logical, v.bytes); break;
  }
  return NULL;
}

tg_error tg_json_image(tg_buf *buf, const tg_rows *rows, tgr1_image image) {
  tg_buf_byte(buf, '{');
  for (uint32_t col = 0; col < rows->batch.image.columns; col++) {
    if (col > 0) tg_buf_byte(buf, ',');
    tg_buf_json_str(buf, tg_column_of(rows, col)->name);
    tg_buf_byte(buf, ':');
    tg_error error = tg_json_value(buf, rows, image, col);
    if (error != NULL) return error;
  }
  tg_buf_byte(buf, '}');
  return NULL;
}
