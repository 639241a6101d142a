/* Base64 of: the format's version, the number of features, the number of rows (uint32, little
 * endian as everything that this runs on), then the rows as float32. */
#include "engine/model/reference.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/crypto.h"

#define VERSION    1
#define TEXT_BYTES ((size_t)64 << 20)

struct header {
    uint32_t version, n_features, n_rows;
};

bool reference_write(const float *rows, size_t n_rows, size_t n_features, struct buffer *out)
{
    size_t kept = n_rows < REFERENCE_ROWS ? n_rows : REFERENCE_ROWS;
    struct header header = {VERSION, (uint32_t)n_features, (uint32_t)kept};
    struct buffer bytes;
    buffer_init(&bytes, TEXT_BYTES);
    buffer_append(&bytes, &header, sizeof header);
    for (size_t i = 0; i < kept; i++)
        buffer_append(&bytes, rows + i * n_rows / kept * n_features, n_features * sizeof *rows);
    bool done = !bytes.overflow && base64_encode(buffer_slice(&bytes), out);
    buffer_free(&bytes);
    return done;
}

static enum status take_rows(struct slice bytes, size_t n_features, float **rows, size_t *n_rows)
{
    struct header header;
    if (bytes.size < sizeof header)
        return STATUS_CORRUPT;
    memcpy(&header, bytes.data, sizeof header);
    size_t size = (size_t)header.n_rows * header.n_features * sizeof **rows;
    if (header.version != VERSION || header.n_features != n_features || header.n_rows == 0 ||
        header.n_rows > REFERENCE_ROWS || bytes.size - sizeof header != size)
        return STATUS_CORRUPT;
    *rows = malloc(size);
    if (!*rows)
        return STATUS_MEMORY;
    memcpy(*rows, bytes.data + sizeof header, size);
    *n_rows = header.n_rows;
    return STATUS_OK;
}

enum status reference_read(struct slice text, size_t n_features, float **rows, size_t *n_rows,
                           struct error *error)
{
    struct buffer bytes;
    *rows = NULL;
    *n_rows = 0;
    buffer_init(&bytes, TEXT_BYTES);
    enum status status = base64_decode(text, &bytes)
                             ? take_rows(buffer_slice(&bytes), n_features, rows, n_rows)
                             : STATUS_CORRUPT;
    buffer_free(&bytes);
    if (status == STATUS_MEMORY)
        return error_set(error, status, "out of memory for a model's reference");
    if (status != STATUS_OK)
        return error_set(error, status,
                         "the attribute " REFERENCE_ATTRIBUTE " does not hold rows of %zu features",
                         n_features);
    return STATUS_OK;
}
