/* Pieces of memory through libzstd: one frame a piece, which says how large it was. Contexts are
 * kept, because making one costs more than a small piece. */
#include "engine/base/packed_bytes.h"

#include <stdlib.h>

#include <zstd.h>

#define LEVEL 6

struct packer {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

struct packer *packer_create(void)
{
    struct packer *packer = calloc(1, sizeof *packer);
    if (!packer)
        return NULL;
    packer->pack = ZSTD_createCCtx();
    packer->unpack = ZSTD_createDCtx();
    if (packer->pack && packer->unpack)
        return packer;
    packer_destroy(packer);
    return NULL;
}

void packer_destroy(struct packer *packer)
{
    if (!packer)
        return;
    ZSTD_freeCCtx(packer->pack);
    ZSTD_freeDCtx(packer->unpack);
    free(packer);
}

bool packer_pack(struct packer *packer, struct slice plain, struct buffer *out)
{
    size_t bound = ZSTD_compressBound(plain.size);
    char *room = buffer_reserve(out, bound);
    if (!room)
        return false;
    size_t size = ZSTD_compressCCtx(packer->pack, room, bound, plain.data, plain.size, LEVEL);
    if (ZSTD_isError(size))
        return false;
    out->size += size;
    return true;
}

bool packer_unpack(struct packer *packer, struct slice packed, struct buffer *out)
{
    buffer_reset(out);
    unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.size);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size >= out->maximum)
        return false;
    char *room = buffer_reserve(out, (size_t)size + 1);
    if (!room)
        return false;
    size_t got = ZSTD_decompressDCtx(packer->unpack, room, (size_t)size, packed.data, packed.size);
    if (ZSTD_isError(got) || got != size)
        return false;
    out->size = got;
    return true;
}
