/* Reads and writes the golden batches; check.py compares what this prints.
 *
 *   golden dump FILE      the batch as the golden JSON files have it
 *   golden rewrite FILE   the batch, read and written again, in hexadecimal
 *   golden damage FILE    a verdict for every byte damaged in each of three ways
 *   golden noise FILE N   N random changes; says nothing, the sanitizers would
 *   golden texts          texts of times, floats and JSON strings */
#include "tidegate/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t data[1 << 16];

static size_t load(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) exit(2);
  size_t len = 0;
  unsigned byte;
  while (len < sizeof data && fscanf(file, "%2x", &byte) == 1) data[len++] = (uint8_t)byte;
  fclose(file);
  return len;
}

static void hex(const uint8_t *p, size_t len) {
  for (size_t i = 0; i < len; i++) printf("%02x", p[i]);
}

static void value(tgr1_image image, uint32_t col, tgr1_column spec) {
  const uint8_t *p;
  size_t len;
  uint64_t u = 0;
  if (tgr1_is_absent(image, col)) {
    printf("\"absent\"");
  } else if (!tgr1_get_u64(image, col, &u)) {
    printf("null");
  } else if (spec.slot == TGR1_INT) {
    printf("{\"int\":\"%" PRId64 "\"}", (int64_t)u);
  } else if (spec.slot == TGR1_UINT) {
    printf("{\"uint\":\"%" PRIu64 "\"}", u);
  } else if (spec.slot == TGR1_FLOAT) {
    printf("{\"float\":\"%016" PRIx64 "\"}", u);
  } else if (tgr1_get_bytes(image, col, &p, &len)) {
    printf("{\"bytes\":\"");
    hex(p, len);
    printf("\"}");
  }
}

static void image_json(const char *name, const tgr1_batch *b, tgr1_image image) {
  printf(",\"%s\":[", name);
  for (uint32_t col = 0; col < b->image.columns; col++) {
    if (col > 0) printf(",");
    value(image, col, tgr1_column_at(b, col));
  }
  printf("]");
}

static void dump(const tgr1_batch *b) {
  printf("{\"table\":\"%" PRIu64 "\",\"version\":\"%" PRIu64 "\",\"flags\":%d,\"columns\":[", tgr1_table(b), tgr1_version(b), tgr1_flags(b));
  for (uint32_t i = 0; i < b->image.columns; i++) {
    tgr1_column c = tgr1_column_at(b, i);
    printf("%s{\"position\":%d,\"slot\":%d,\"logical\":%d}", i > 0 ? "," : "", c.position, c.slot, c.logical);
  }
  printf("],\"rows\":[");
  for (uint32_t i = 0; i < b->rows; i++) {
    tgr1_row r = tgr1_row_at(b, i);
    printf("%s{\"commit_ts\":\"%" PRIu64 "\",\"start_ts\":\"%" PRIu64 "\",\"op\":\"%s\",\"flags\":%d", i > 0 ? "," : "", tgr1_commit_ts(r),
           tgr1_start_ts(r), tgr1_op_name(tgr1_row_op(r)), tgr1_row_flags(r));
    printf(",\"partition\":%" PRIu32 ",\"target\":%d,\"lane\":%d", tgr1_partition(r), tgr1_target(r), tgr1_lane(r));
    tgr1_image image;
    if (tgr1_after(r, &image)) image_json("after", b, image);
    if (tgr1_before(r, &image)) image_json("before", b, image);
    printf("}");
  }
  printf("]}\n");
}

static void copy(tgr1_writer *w, const tgr1_batch *b, tgr1_image image, bool after) {
  const uint8_t *p;
  size_t len;
  uint64_t u;
  tgr1_writer_image(w, after);
  for (uint32_t col = 0; col < b->image.columns; col++) {
    if (tgr1_is_absent(image, col)) {
      tgr1_put_absent(w, col);
    } else if (tgr1_column_at(b, col).slot == TGR1_BYTES) {
      if (tgr1_get_bytes(image, col, &p, &len)) tgr1_put_bytes(w, col, p, len);
    } else if (tgr1_get_u64(image, col, &u)) {
      tgr1_put_u64(w, col, u);
    }
  }
}

static void rewrite(const tgr1_batch *b) {
  static tgr1_column columns[TGR1_COLUMNS_MAX];
  tgr1_writer w = {0};
  for (uint32_t i = 0; i < b->image.columns; i++) columns[i] = tgr1_column_at(b, i);
  tgr1_writer_begin(&w, tgr1_table(b), tgr1_version(b), columns, b->image.columns, (tgr1_flags(b) & TGR1_FLAG_ABSENT) != 0);
  for (uint32_t i = 0; i < b->rows; i++) {
    tgr1_row r = tgr1_row_at(b, i);
    tgr1_image image;
    tgr1_writer_row(&w, tgr1_commit_ts(r), tgr1_start_ts(r), tgr1_row_op(r), tgr1_row_flags(r));
    tgr1_writer_route(&w, tgr1_partition(r), tgr1_target(r), tgr1_lane(r));
    if (tgr1_after(r, &image)) copy(&w, b, image, true);
    if (tgr1_before(r, &image)) copy(&w, b, image, false);
    if (!tgr1_writer_end(&w)) exit(3);
  }
  tg_bytes bytes = tgr1_writer_finish(&w);
  hex(bytes.ptr, bytes.len);
  printf("\n");
  tgr1_writer_free(&w);
}

static char verdict(size_t len) {
  /* An allocation of its own, so that a sanitizer sees the first byte read behind it. */
  uint8_t *own = malloc(len > 0 ? len : 1);
  if (own == NULL) exit(2);
  memcpy(own, data, len);
  tgr1_batch b;
  tgr1_fault fault = tgr1_parse(own, len, &b);
  char out = "-mbau"[fault];
  if (fault == TGR1_OK) {
    out = '.';
    for (uint32_t i = 0; i < b.rows; i++) {
      tgr1_image image[2];
      tgr1_row r = tgr1_row_at(&b, i);
      bool has[2] = {tgr1_after(r, &image[0]), tgr1_before(r, &image[1])};
      for (uint32_t col = 0; col < b.image.columns; col++) {
        for (int k = 0; k < 2; k++) {
          if (has[k] && !tgr1_readable(image[k], col, tgr1_column_at(&b, col))) out = 's';
        }
      }
    }
  }
  free(own);
  return out;
}

static void damage(size_t len) {
  static const uint8_t masks[] = {0x01, 0x80, 0xff};
  for (size_t m = 0; m < sizeof masks; m++) {
    for (size_t at = 0; at < len; at++) {
      data[at] ^= masks[m];
      putchar(verdict(len));
      data[at] ^= masks[m];
    }
    putchar('\n');
  }
}

static void noise(size_t len, long times) {
  uint64_t seed = 7;
  uint8_t *sound = malloc(len);
  if (sound == NULL) exit(2);
  memcpy(sound, data, len);
  for (long i = 0; i < times; i++) {
    for (int k = 0; k < 4; k++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      data[4 + (seed >> 33) % (len - 4)] = (uint8_t)(seed >> 24);
    }
    verdict(len - (seed >> 60));
    memcpy(data, sound, len);
  }
  free(sound);
}

static void line(tg_buf *buf) {
  printf("%.*s\n", (int)buf->len, (const char *)buf->ptr);
  buf->len = 0;
}

static void texts(void) {
  tg_buf buf = {0};
  char kind[16];
  unsigned long long bits;
  unsigned fsp;
  while (scanf("%15s %llu %u", kind, &bits, &fsp) == 3) {
    if (strcmp(kind, "time") == 0) tg_buf_datetime(&buf, bits, fsp);
    if (strcmp(kind, "duration") == 0) tg_buf_duration(&buf, (int64_t)bits, fsp);
    if (strcmp(kind, "parts") == 0) {
      uint64_t again = tgr1_pack(tgr1_year(bits), tgr1_month(bits), tgr1_day(bits), tgr1_hour(bits), tgr1_minute(bits), tgr1_second(bits),
                                 tgr1_micro(bits));
      tg_buf_u64(&buf, again);
    }
    if (strcmp(kind, "f64") == 0) {
      double v;
      memcpy(&v, &bits, 8);
      tg_buf_f64(&buf, v);
    }
    if (strcmp(kind, "f32") == 0) {
      uint32_t low = (uint32_t)bits;
      float v;
      memcpy(&v, &low, 4);
      tg_buf_f32(&buf, v);
    }
    line(&buf);
  }
  static const char odd[] = "a\"\\\n\t\x01/ \xc3\xbc \xf0\x9f\xa6\x80 \xff\xc0\x80\xed\xa0\x80 12345678\"12345678";
  tg_buf_json_str(&buf, (tg_str){odd, sizeof odd - 1});
  line(&buf);
  tg_str value = {"", 0};
  uint32_t number = 0;
  tg_str json = tg_str_of(" { \"a\" : {\"path\":[1,\"}\"]}, \"path\" : \"x\\u00fc\\ud83e\\udd80\\\"\\n\", \"n\":42 } ");
  if (tg_json_get_str(json, "path", &value) != NULL || tg_json_get_u32(json, "n", &number) != NULL) exit(3);
  printf("%.*s%u\n", (int)value.len, value.ptr, number);
  tg_error error = tg_json_get_str(json, "n", &value);
  tg_str message = error == NULL ? tg_str_of("no error") : tg_message(error);
  printf("%.*s\n", (int)message.len, message.ptr);
  tg_buf_free(&buf);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  if (strcmp(argv[1], "texts") == 0) {
    texts();
    return 0;
  }
  if (argc < 3) return 2;
  size_t len = load(argv[2]);
  tgr1_batch b;
  if (strcmp(argv[1], "damage") == 0) {
    damage(len);
    return 0;
  }
  if (strcmp(argv[1], "noise") == 0) {
    noise(len, argc > 3 ? strtol(argv[3], NULL, 10) : 1000);
    return 0;
  }
  if (tgr1_parse(data, len, &b) != TGR1_OK) return 3;
  if (strcmp(argv[1], "dump") == 0) dump(&b);
  if (strcmp(argv[1], "rewrite") == 0) rewrite(&b);
  return 0;
}
