/* Small pieces of memory compressed by Zstandard (RFC 8878) and back, with what that needs kept
 * between calls. One thread at a time. */
#ifndef BINNACLE_BASE_PACKED_BYTES_H
#define BINNACLE_BASE_PACKED_BYTES_H

#include <stdbool.h>

#include "engine/base/buffer.h"

struct packer;
struct packer *packer_create(void); /* NULL: out of memory */
void packer_destroy(struct packer *packer);

/* Appends `plain` compressed to *out; false: out of memory, or *out is full. */
bool packer_pack(struct packer *packer, struct slice plain, struct buffer *out);
/* Replaces the content of *out, whose maximum bounds what is unpacked. False: no such piece, or
 * damaged, or too large. */
bool packer_unpack(struct packer *packer, struct slice packed, struct buffer *out);

#endif
