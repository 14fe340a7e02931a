/* Failures, log and the end of an instance. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

/* Longer messages are cut. */
enum { MESSAGE_MAX = 4096 };

static tg_error make(tg_failure_kind kind, const char *code, const char *format, va_list values) {
  char text[MESSAGE_MAX];
  int len = vsnprintf(text, sizeof text, format, values);
  size_t used = len < 0 ? 0 : (size_t)len;
  if (used >= sizeof text) {
    /* A cut must not split a character: back to before its first byte. */
    used = sizeof text - 1;
    while (used > 0 && ((uint8_t)text[used - 1] & 0xc0) == 0x80) used--;
    if (used > 0 && (uint8_t)text[used - 1] >= 0xc0) used--;
  }
  tg_str message = tg_copy((tg_str){text, used});
  tg_failure *failure = tg_alloc(sizeof *failure);
  memset(failure, 0, sizeof *failure);
  failure->kind = kind;
  if (code != NULL) {
    failure->fatal.code = tg_str_of(code);
    failure->fatal.message = message;
  } else {
    failure->retry.message = message;
  }
  return failure;
}

#define MAKE(kind, code)                                \
  va_list values;                                       \
  va_start(values, format);                             \
  tg_error failure = make(kind, code, format, values);  \
  va_end(values);                                       \
  return failure

tg_error tg_retryable(const char *format, ...) { MAKE(TG_RETRYABLE, NULL); }
tg_error tg_unknown(const char *format, ...) { MAKE(TG_UNKNOWN, NULL); }
tg_error tg_fenced(const char *format, ...) { MAKE(TG_FENCED, NULL); }
tg_error tg_fatal(const char *code, const char *format, ...) { MAKE(TG_FATAL, code); }
tg_error tg_unsupported(const char *code, const char *format, ...) { MAKE(TG_UNSUPPORTED, code); }

tg_str tg_message(tg_error error) { return error->kind < TG_FATAL ? error->retry.message : error->fatal.message; }

#if defined(__wasm32__)
TG_IMPORT("log", "enabled") bool tg_raw_log_enabled(uint32_t level);
TG_IMPORT("log", "log") void tg_raw_log(uint32_t level, const char *message, size_t len, const tg_attr *fields, size_t n);
TG_IMPORT("session", "deadline-ms") uint32_t tg_raw_deadline_ms(void);

bool tg_log_enabled(tg_level level) { return tg_raw_log_enabled(level); }
void tg_log(tg_level level, tg_str message, const tg_attr *fields, size_t n) {
  tg_raw_log(level, message.ptr, message.len, fields, n);
}
uint32_t tg_deadline_ms(void) { return tg_raw_deadline_ms(); }

/* What assert of the C library calls. */
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function) {
  (void)file, (void)line, (void)function;
  tg_panic(what);
}
#else
#include <stdlib.h>
bool tg_log_enabled(tg_level level) { return level >= TG_INFO; }
void tg_log(tg_level level, tg_str message, const tg_attr *fields, size_t n) {
  (void)fields, (void)n;
  if (tg_log_enabled(level)) fprintf(stderr, "%.*s\n", (int)message.len, message.ptr);
}
uint32_t tg_deadline_ms(void) { return UINT32_MAX; }
#endif

_Noreturn void tg_panic(const char *what) {
  tg_attr field = {TG_STR("panic"), tg_str_of(what)};
  tg_log(TG_ERROR, TG_STR("the plugin gave up"), &field, 1);
#if defined(__wasm32__)
  __builtin_trap();
#else
  abort();
#endif
}
