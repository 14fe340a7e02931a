/* Reads TGR1, the row batch that crosses the border between the host and a plugin (docs/formats/tgr1.md). Header only.
 *
 * After tgr1_parse has answered TGR1_OK, no accessor reads outside its row, whatever the bytes. Columns that do not exist read as NULL.
 * Little-endian machines only, as WebAssembly is. */
#ifndef TIDEGATE_TGR1_H
#define TIDEGATE_TGR1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TGR1_HEADER_LEN = 64, TGR1_COLUMN_LEN = 8, TGR1_ROW_HEADER_LEN = 40, TGR1_COLUMNS_MAX = 65535 };
enum { TGR1_FLAG_ABSENT = 1, TGR1_FLAG_MAYBE_REPEATED = 2 };
enum { TGR1_ROW_MAYBE_REPEATED = 1, TGR1_ROW_SPLIT_UPDATE = 2 };

/* The largest batch there is. */
#define TGR1_LIMIT_BYTES (16u << 20)

typedef enum { TGR1_INT = 1, TGR1_UINT, TGR1_FLOAT, TGR1_BYTES } tgr1_slot;

typedef enum {
  TGR1_LOGICAL_INT = 1, TGR1_LOGICAL_UINT, TGR1_LOGICAL_FLOAT32, TGR1_LOGICAL_FLOAT64, TGR1_LOGICAL_DECIMAL, TGR1_LOGICAL_TEXT,
  TGR1_LOGICAL_BYTES, TGR1_LOGICAL_JSON, TGR1_LOGICAL_DATE, TGR1_LOGICAL_DATETIME, TGR1_LOGICAL_TIMESTAMP, TGR1_LOGICAL_TIME,
  TGR1_LOGICAL_YEAR, TGR1_LOGICAL_ENUM, TGR1_LOGICAL_SET, TGR1_LOGICAL_BIT, TGR1_LOGICAL_VECTOR
} tgr1_logical;

typedef enum { TGR1_DELETE, TGR1_UPDATE, TGR1_INSERT } tgr1_op;

/* What is wrong with bytes that are no batch. */
typedef enum { TGR1_OK, TGR1_BAD_MAGIC, TGR1_BAD_BOUNDS, TGR1_BAD_ALIGN, TGR1_UNKNOWN } tgr1_fault;

typedef struct {
  uint32_t columns, absent, slots; /* absent: offset of the absent bitmap in an image; 0: there is none */
} tgr1_layout;

typedef struct {
  const uint8_t *data;
  size_t len;
  uint32_t rows, map_at, index_at;
  tgr1_layout image;
} tgr1_batch;

typedef struct {
  uint16_t position;
  uint8_t slot, logical;
} tgr1_column;

typedef struct {
  const uint8_t *data;
  tgr1_layout layout;
} tgr1_row;

typedef struct {
  const uint8_t *row;
  uint32_t at;
  tgr1_layout layout;
} tgr1_image;

static inline uint16_t tgr1_u16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static inline uint32_t tgr1_u32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint64_t tgr1_u64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

static inline uint32_t tgr1_bitmap_len(uint32_t columns) { return (columns + 63) / 64 * 8; }

/* The kind of slot that values of a logical type are kept in. */
static inline tgr1_slot tgr1_slot_of(uint8_t logical) {
  static const uint8_t slots[] = {0, 1, 2, 3, 3, 4, 4, 4, 4, 2, 2, 2, 1, 1, 2, 2, 2, 4};
  return (tgr1_slot)(logical < sizeof slots ? slots[logical] : 0);
}

static inline const char *tgr1_op_name(tgr1_op op) { return op == TGR1_DELETE ? "delete" : op == TGR1_UPDATE ? "update" : "insert"; }

static inline const char *tgr1_fault_text(tgr1_fault fault) {
  switch (fault) {
  case TGR1_OK: return "the batch is sound";
  case TGR1_BAD_MAGIC: return "the bytes do not start with TGR1";
  case TGR1_BAD_BOUNDS: return "the batch is cut short or an offset points outside it";
  case TGR1_BAD_ALIGN: return "the batch holds an offset or length that is not valid";
  default: return "the batch holds a slot kind, logical type or op that is not known";
  }
}

static inline tgr1_fault tgr1_check_row(const tgr1_batch *b, uint32_t i, uint32_t first, uint32_t row_header) {
  uint32_t at = tgr1_u32(b->data + b->index_at + 4 * (size_t)i);
  if (at % 8 != 0 || at < first) return TGR1_BAD_ALIGN;
  if (at > b->index_at || b->index_at - at < row_header) return TGR1_BAD_BOUNDS;
  const uint8_t *row = b->data + at;
  uint32_t len = tgr1_u32(row + 20);
  if (len % 8 != 0 || len < row_header) return TGR1_BAD_ALIGN;
  if (len > b->index_at - at) return TGR1_BAD_BOUNDS;
  if (row[16] > TGR1_INSERT) return TGR1_UNKNOWN;
  for (int kind = 0; kind < 2; kind++) {
    if ((row[17] >> kind & 1) == 0) continue;
    uint32_t image = tgr1_u32(row + 24 + 4 * kind);
    if (image % 8 != 0 || image < row_header) return TGR1_BAD_ALIGN;
    if (image > len || len - image < b->image.slots + 8 * b->image.columns) return TGR1_BAD_BOUNDS;
  }
  return TGR1_OK;
}

/* Checks header, column map, row index, lengths and image offsets, in O(rows + columns). Offsets of strings are checked when they are
 * read. */
static inline tgr1_fault tgr1_parse(const uint8_t *data, size_t len, tgr1_batch *b) {
  if (len < 4 || memcmp(data, "TGR1", 4) != 0) return TGR1_BAD_MAGIC;
  if (len < TGR1_HEADER_LEN) return TGR1_BAD_BOUNDS;
  /* 64-bit sums cannot wrap over fields of 32 bits. */
  uint64_t map_at = tgr1_u32(data + 8), row_header = tgr1_u32(data + 44), rows = tgr1_u32(data + 12);
  uint64_t columns = tgr1_u32(data + 16), index_at = tgr1_u32(data + 20), total = tgr1_u32(data + 40);
  if (map_at < TGR1_HEADER_LEN || map_at % 8 != 0) return TGR1_BAD_ALIGN;
  if (row_header < TGR1_ROW_HEADER_LEN || row_header % 8 != 0) return TGR1_BAD_ALIGN;
  if (total > len || columns > TGR1_COLUMNS_MAX || map_at + columns * TGR1_COLUMN_LEN > index_at) return TGR1_BAD_BOUNDS;
  if (index_at % 8 != 0) return TGR1_BAD_ALIGN;
  if (index_at + 4 * rows > total) return TGR1_BAD_BOUNDS;
  uint32_t bitmap = tgr1_bitmap_len((uint32_t)columns);
  bool absent = (tgr1_u16(data + 6) & TGR1_FLAG_ABSENT) != 0;
  *b = (tgr1_batch){data, (size_t)total, (uint32_t)rows, (uint32_t)map_at, (uint32_t)index_at,
                    {(uint32_t)columns, absent ? bitmap : 0, absent ? 2 * bitmap : bitmap}};
  for (uint64_t i = 0; i < columns; i++) {
    const uint8_t *entry = data + map_at + i * TGR1_COLUMN_LEN;
    if (entry[2] < TGR1_INT || entry[2] > TGR1_BYTES || entry[3] < TGR1_LOGICAL_INT || entry[3] > TGR1_LOGICAL_VECTOR) {
      return TGR1_UNKNOWN;
    }
  }
  for (uint32_t i = 0; i < b->rows; i++) {
    tgr1_fault fault = tgr1_check_row(b, i, (uint32_t)(map_at + columns * TGR1_COLUMN_LEN), (uint32_t)row_header);
    if (fault != TGR1_OK) return fault;
  }
  return TGR1_OK;
}

static inline uint64_t tgr1_table(const tgr1_batch *b) { return tgr1_u64(b->data + 24); }
static inline uint64_t tgr1_version(const tgr1_batch *b) { return tgr1_u64(b->data + 32); }
static inline uint16_t tgr1_minor(const tgr1_batch *b) { return tgr1_u16(b->data + 4); }
static inline uint16_t tgr1_flags(const tgr1_batch *b) { return tgr1_u16(b->data + 6); }
static inline uint64_t tgr1_min_commit_ts(const tgr1_batch *b) { return tgr1_u64(b->data + 48); }
static inline uint64_t tgr1_max_commit_ts(const tgr1_batch *b) { return tgr1_u64(b->data + 56); }

/* Column `col` of the map, which must exist. */
static inline tgr1_column tgr1_column_at(const tgr1_batch *b, uint32_t col) {
  const uint8_t *entry = b->data + b->map_at + (size_t)col * TGR1_COLUMN_LEN;
  return (tgr1_column){tgr1_u16(entry), entry[2], entry[3]};
}

/* Row `i`, which must exist. */
static inline tgr1_row tgr1_row_at(const tgr1_batch *b, uint32_t i) {
  return (tgr1_row){b->data + tgr1_u32(b->data + b->index_at + 4 * (size_t)i), b->image};
}

static inline uint64_t tgr1_commit_ts(tgr1_row r) { return tgr1_u64(r.data); }
static inline uint64_t tgr1_start_ts(tgr1_row r) { return tgr1_u64(r.data + 8); }
static inline tgr1_op tgr1_row_op(tgr1_row r) { return (tgr1_op)r.data[16]; }
static inline uint16_t tgr1_row_flags(tgr1_row r) { return tgr1_u16(r.data + 18); }
static inline uint32_t tgr1_row_len(tgr1_row r) { return tgr1_u32(r.data + 20); }
static inline uint32_t tgr1_partition(tgr1_row r) { return tgr1_u32(r.data + 32); }
static inline uint16_t tgr1_target(tgr1_row r) { return tgr1_u16(r.data + 36); }
static inline uint16_t tgr1_lane(tgr1_row r) { return tgr1_u16(r.data + 38); }

/* The row as it is now; false for a delete. */
static inline bool tgr1_after(tgr1_row r, tgr1_image *image) {
  *image = (tgr1_image){r.data, tgr1_u32(r.data + 24), r.layout};
  return (r.data[17] & 1) != 0;
}

/* The row as it was; false for an insert. */
static inline bool tgr1_before(tgr1_row r, tgr1_image *image) {
  *image = (tgr1_image){r.data, tgr1_u32(r.data + 28), r.layout};
  return (r.data[17] & 2) != 0;
}

/* The image that identifies the row as it is: after, or before for a delete. */
static inline bool tgr1_current(tgr1_row r, tgr1_image *image) { return tgr1_after(r, image) || tgr1_before(r, image); }

static inline bool tgr1_is_null(tgr1_image m, uint32_t col) {
  return col >= m.layout.columns || (m.row[m.at + col / 8] >> col % 8 & 1) != 0;
}

/* Whether the value is not known; it reads as NULL then. */
static inline bool tgr1_is_absent(tgr1_image m, uint32_t col) {
  return col < m.layout.columns && m.layout.absent != 0 && (m.row[m.at + m.layout.absent + col / 8] >> col % 8 & 1) != 0;
}

/* An unsigned integer, an enum number, a set, a bit field or a packed time; false for NULL. */
static inline bool tgr1_get_u64(tgr1_image m, uint32_t col, uint64_t *v) {
  if (tgr1_is_null(m, col)) return false;
  *v = tgr1_u64(m.row + m.at + m.layout.slots + 8 * (size_t)col);
  return true;
}

static inline bool tgr1_get_i64(tgr1_image m, uint32_t col, int64_t *v) {
  uint64_t bits;
  if (!tgr1_get_u64(m, col, &bits)) return false;
  *v = (int64_t)bits;
  return true;
}

static inline bool tgr1_get_f64(tgr1_image m, uint32_t col, double *v) {
  uint64_t bits;
  if (!tgr1_get_u64(m, col, &bits)) return false;
  memcpy(v, &bits, 8);
  return true;
}

/* Bytes of a string, in place; false also when they would lie outside the row. */
static inline bool tgr1_get_bytes(tgr1_image m, uint32_t col, const uint8_t **p, size_t *len) {
  uint64_t slot;
  if (!tgr1_get_u64(m, col, &slot)) return false;
  uint64_t at = slot & 0xffffffffu, n = slot >> 32;
  if (at + n > tgr1_u32(m.row + 20)) return false;
  *p = m.row + at;
  *len = (size_t)n;
  return true;
}

/* Whether a column can be read: a string that lies outside its row cannot. */
static inline bool tgr1_readable(tgr1_image m, uint32_t col, tgr1_column spec) {
  const uint8_t *p;
  size_t len;
  return spec.slot != TGR1_BYTES || tgr1_is_null(m, col) || tgr1_get_bytes(m, col, &p, &len);
}

/* Packed dates and times, which may have zero parts. */
static inline uint32_t tgr1_year(uint64_t t) { return (uint32_t)(t >> 46) / 13; }
static inline uint32_t tgr1_month(uint64_t t) { return (uint32_t)(t >> 46) % 13; }
static inline uint32_t tgr1_day(uint64_t t) { return t >> 41 & 31; }
static inline uint32_t tgr1_hour(uint64_t t) { return t >> 36 & 31; }
static inline uint32_t tgr1_minute(uint64_t t) { return t >> 30 & 63; }
static inline uint32_t tgr1_second(uint64_t t) { return t >> 24 & 63; }
static inline uint32_t tgr1_micro(uint64_t t) { return t & 0xffffff; }
static inline uint64_t tgr1_pack(uint32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute, uint32_t second,
                                 uint32_t micro) {
  return ((uint64_t)year * 13 + month) << 46 | (uint64_t)day << 41 | (uint64_t)hour << 36 | (uint64_t)minute << 30 |
         (uint64_t)second << 24 | micro;
}

#endif
