/* Members of a flat JSON object, such as a configuration that the host has checked against the plugin's schema. */
#include "internal.h"

#include <stdlib.h>

static size_t space(tg_str json, size_t at) {
  while (at < json.len && (json.ptr[at] == ' ' || json.ptr[at] == '\n' || json.ptr[at] == '\r' || json.ptr[at] == '\t')) at++;
  return at;
}

/* End of the string that starts at `at` with its quote; 0: it does not end. */
static size_t string_end(tg_str json, size_t at) {
  for (at++; at < json.len; at++) {
    if (json.ptr[at] == '\\') {
      at++;
    } else if (json.ptr[at] == '"') {
      return at + 1;
    }
  }
  return 0;
}

/* End of the value that starts at `at`: the comma or bracket behind it. */
static size_t value_end(tg_str json, size_t at) {
  for (size_t depth = 0; at < json.len; at++) {
    char c = json.ptr[at];
    if (c == '"') {
      size_t end = string_end(json, at);
      if (end == 0) return json.len;
      at = end - 1;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      depth--;
    } else if (c == ',' && depth == 0) {
      return at;
    }
  }
  return at;
}

/* The text of a member's value. */
static bool member(tg_str json, const char *name, tg_str *value) {
  size_t at = space(json, 0);
  if (at >= json.len || json.ptr[at] != '{') return false;
  for (at = space(json, at + 1); at < json.len && json.ptr[at] == '"';) {
    size_t end = string_end(json, at);
    if (end == 0) return false;
    tg_str key = {json.ptr + at + 1, end - at - 2};
    at = space(json, end);
    if (at >= json.len || json.ptr[at] != ':') return false;
    at = space(json, at + 1);
    end = value_end(json, at);
    if (tg_str_is(key, name)) {
      *value = (tg_str){json.ptr + at, end - at};
      while (value->len > 0 && space(*value, value->len - 1) == value->len) value->len--;
      return true;
    }
    if (end >= json.len || json.ptr[end] != ',') return false;
    at = space(json, end + 1);
  }
  return false;
}

static bool hex4(const char *p, uint32_t *code) {
  *code = 0;
  for (int i = 0; i < 4; i++) {
    uint32_t c = (uint8_t)p[i], digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : 16;
    if (digit > 15) return false;
    *code = *code << 4 | digit;
  }
  return true;
}

static size_t put_utf8(char *out, uint32_t c) {
  if (c < 0x80) return out[0] = (char)c, 1;
  if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000) {
    return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
  }
  out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63));
  return out[2] = (char)(0x80 | (c >> 6 & 63)), out[3] = (char)(0x80 | (c & 63)), 4;
}

/* One escape, after its backslash: how many bytes it took of `left`; 0: it is none. */
static size_t unescape(const char *p, size_t left, char *out, size_t *written) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *at = left > 0 && p[0] != 0 ? strchr(from, p[0]) : NULL;
  uint32_t code, low;
  if (at != NULL) return out[0] = to[at - from], *written = 1, 1;
  if (left < 5 || p[0] != 'u' || !hex4(p + 1, &code)) return 0;
  if (code >= 0xd800 && code < 0xdc00 && left >= 11 && p[5] == '\\' && p[6] == 'u' && hex4(p + 7, &low) && low >= 0xdc00 && low < 0xe000) {
    *written = put_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
    return 11;
  }
  *written = put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  return 5;
}

static tg_error wrong(const char *name, tg_str raw, const char *wanted) {
  return tg_fatal("config", "\"%s\" is %.*s, where %s is wanted", name, (int)raw.len, raw.ptr, wanted);
}

/* The text that a string between quotes stands for, written to `out`, which has room: no escape is shorter than what it stands for. */
static bool unquote(tg_str raw, char *out, size_t *len) {
  if (raw.len < 2 || raw.ptr[0] != '"') return false;
  *len = 0;
  for (size_t at = 1; at + 1 < raw.len; at++) {
    size_t written = 1;
    if (raw.ptr[at] != '\\') {
      out[*len] = raw.ptr[at];
    } else {
      size_t took = unescape(raw.ptr + at + 1, raw.len - at - 2, out + *len, &written);
      if (took == 0) return false;
      at += took;
    }
    *len += written;
  }
  return true;
}

tg_error tg_json_get_str(tg_str json, const char *name, tg_str *value) {
  tg_str raw;
  if (!member(json, name, &raw)) return NULL;
  char *out = tg_alloc(raw.len);
  size_t len;
  if (!unquote(raw, out, &len)) return wrong(name, raw, "a string");
  *value = (tg_str){out, len};
  return NULL;
}

tg_error tg_json_get_strs(tg_str json, const char *name, tg_strs *value) {
  tg_str raw;
  *value = (tg_strs){NULL, 0};
  if (!member(json, name, &raw)) return NULL;
  /* No string takes fewer than two of these bytes. */
  tg_str *list = malloc((raw.len / 2 + 1) * sizeof *list);
  char *out = malloc(raw.len + 1);
  if (list == NULL || out == NULL) tg_panic("out of memory");
  size_t n = 0, at = raw.len > 0 && raw.ptr[0] == '[' ? space(raw, 1) : raw.len;
  while (at < raw.len && raw.ptr[at] == '"') {
    size_t end = string_end(raw, at), len;
    if (end == 0 || !unquote((tg_str){raw.ptr + at, end - at}, out, &len)) break;
    list[n++] = (tg_str){out, len};
    out += len;
    at = space(raw, end);
    if (at < raw.len && raw.ptr[at] == ',') at = space(raw, at + 1);
  }
  if (at + 1 != raw.len || raw.ptr[at] != ']') return wrong(name, raw, "a list of strings");
  *value = (tg_strs){list, n};
  return NULL;
}

bool tg_strs_have(tg_strs list, tg_str text) {
  for (size_t i = 0; i < list.len; i++) {
    if (list.ptr[i].len == text.len && memcmp(list.ptr[i].ptr, text.ptr, text.len) == 0) return true;
  }
  return false;
}

tg_error tg_json_get_u32(tg_str json, const char *name, uint32_t *value) {
  tg_str raw;
  if (!member(json, name, &raw)) return NULL;
  uint64_t n = 0;
  for (size_t i = 0; i < raw.len; i++) {
    if (raw.ptr[i] < '0' || raw.ptr[i] > '9' || n > UINT32_MAX) return wrong(name, raw, "a whole number");
    n = 10 * n + (uint64_t)(raw.ptr[i] - '0');
  }
  if (raw.len == 0 || n > UINT32_MAX) return wrong(name, raw, "a whole number");
  *value = (uint32_t)n;
  return NULL;
}
