/* Reading model files: XGBoost's JSON and UBJSON, every index checked before a library sees it. */
#ifndef BINNACLE_MODEL_MODEL_FILE_H
#define BINNACLE_MODEL_MODEL_FILE_H

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/model/forest.h"

/* Larger ones are refused: what is broken at its end must be known within two seconds, and a
 * file of this size takes about one and a half to read. Some 20,000 trees of depth 8 fit. */
#define MODEL_FILE_MAX_BYTES ((size_t)192 << 20)
#define MODEL_MAX_DEPTH      1024 /* of a tree */
#define MODEL_MAX_FEATURES   65536

/* Parses and checks a model. JSON or UBJSON is told by the bytes. Time is linear in the size and
 * memory a small multiple of it, whatever the bytes are. On success the caller owns *forest.
 * STATUS_INVALID: not a model, or one that contradicts itself; the error names the path and
 * the byte, or the tree and node. STATUS_UNSUPPORTED: well formed, but not a single-output tree
 * model of an objective in enum model_objective. Any thread. */
MUST_USE enum status forest_read(struct slice bytes, struct forest **forest, struct error *error);
/* The same from a file; the error begins with the path. STATUS_NOT_FOUND, STATUS_IO, or
 * STATUS_FULL when it is larger than MODEL_FILE_MAX_BYTES. */
MUST_USE enum status forest_read_file(const char *path, struct forest **forest,
                                      struct error *error);

/* Writes the forest as UBJSON that libxgboost 1.7 reads, whatever version wrote the original:
 * base_score without brackets, dart's tree weights multiplied into the leaves (the sums are the
 * same floats). Attributes and names are left out. STATUS_FULL when `out` is. */
MUST_USE enum status forest_write(const struct forest *forest, struct buffer *out);

#endif
