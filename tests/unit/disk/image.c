/* The folder as it is found after the power failed: the operations are gone through once more, to
 * what the disk holds for certain and what is on its way there. */
#include "tests/unit/disk/disk_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECTOR 512

/* One file on the disk, and the operations on it since it was synced. */
struct file {
    unsigned char *bytes;
    size_t size, capacity;
    size_t *pending, n_pending, room;
};

struct image {
    struct file *files;
    struct name *names;
    size_t n_names;
    size_t *pending, n_pending; /* operations on names */
    enum disk_crash crash;
    uint64_t random;
};

/* xorshift64*, Vigna 2016. */
static uint64_t next_random(struct image *image)
{
    image->random ^= image->random >> 12;
    image->random ^= image->random << 25;
    image->random ^= image->random >> 27;
    return image->random * UINT64_C(2685821657736338717);
}

static void set_size(struct file *file, size_t size)
{
    if (size > file->capacity) {
        file->capacity = 2 * size;
        file->bytes = realloc(file->bytes, file->capacity);
        if (!file->bytes)
            abort();
    }
    if (size > file->size)
        memset(file->bytes + file->size, 0, size - file->size);
    file->size = size;
}

static void apply_part(struct file *file, const struct operation *write, size_t from, size_t to)
{
    size_t at = (size_t)write->at;
    if (file->size < at + to)
        set_size(file, at + to);
    memcpy(file->bytes + at + from, write->bytes + from, to - from);
}

static void apply(struct file *file, const struct operation *operation)
{
    if (operation->kind == OP_TRUNCATE)
        set_size(file, (size_t)operation->at);
    else
        apply_part(file, operation, 0, operation->size);
}

/* Some of its sectors. */
static void tear(struct image *image, struct file *file, const struct operation *write)
{
    size_t at = (size_t)write->at;
    for (size_t from = 0; from < write->size;) {
        size_t to = (at + from) / SECTOR * SECTOR + SECTOR - at;
        if (to > write->size)
            to = write->size;
        if (next_random(image) >> 63)
            apply_part(file, write, from, to);
        from = to;
    }
}

/* What was not synced, as chance has it. */
static void settle(struct image *image, struct file *file, bool lost)
{
    for (size_t i = 0; i < file->n_pending; i++) {
        const struct operation *operation = &disk_get()->operations[file->pending[i]];
        unsigned dice = (unsigned)(next_random(image) >> 32) % 8;
        if (lost || image->crash == CRASH_LOST)
            continue;
        if (image->crash == CRASH_KEPT || dice < 4)
            apply(file, operation);
        else if (dice == 4 && operation->kind == OP_WRITE)
            tear(image, file, operation);
    }
    file->n_pending = 0;
}

static void set_name(struct image *image, const char *name, int file)
{
    size_t i = 0;
    while (i < image->n_names && strcmp(image->names[i].name, name) != 0)
        i++;
    if (i < image->n_names && file == NO_FILE) {
        free(image->names[i].name);
        image->names[i] = image->names[--image->n_names];
    } else if (i < image->n_names) {
        image->names[i].file = file;
    } else if (file != NO_FILE) {
        image->names[image->n_names++] = (struct name){strdup(name), file};
    }
}

static void apply_name(struct image *image, const struct operation *operation)
{
    set_name(image, operation->name, operation->kind == OP_NAME ? operation->file : NO_FILE);
    if (operation->kind == OP_RENAME)
        set_name(image, operation->to, operation->file);
}

/* `n` of a folder's names that wait, the oldest first. */
static void apply_names(struct image *image, const char *folder, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < image->n_pending; i++) {
        const struct operation *operation = &disk_get()->operations[image->pending[i]];
        char own[4096];
        disk_folder_of(operation->name, own, sizeof own);
        if (strcmp(own, folder) == 0 && n > 0) {
            apply_name(image, operation);
            n--;
        } else {
            image->pending[kept++] = image->pending[i];
        }
    }
    image->n_pending = kept;
}

static void take(struct image *image, size_t i)
{
    const struct operation *operation = &disk_get()->operations[i];
    struct file *file = operation->file >= 0 ? &image->files[operation->file] : NULL;
    switch (operation->kind) {
    case OP_WRITE:
    case OP_TRUNCATE:
        if (file->n_pending == file->room) {
            file->room = file->room ? 2 * file->room : 16;
            file->pending = realloc(file->pending, file->room * sizeof *file->pending);
            if (!file->pending)
                abort();
        }
        file->pending[file->n_pending++] = i;
        break;
    case OP_SYNC:
        for (size_t j = 0; j < file->n_pending; j++)
            apply(file, &disk_get()->operations[file->pending[j]]);
        file->n_pending = 0;
        break;
    case OP_SYNC_FAILED:
        settle(image, file, operation->lost);
        break;
    case OP_NAME:
    case OP_UNNAME:
    case OP_RENAME:
        image->pending[image->n_pending++] = i;
        break;
    case OP_SYNC_FOLDER:
        apply_names(image, operation->name, SIZE_MAX);
        break;
    }
}

static struct image *make_image(size_t moment, enum disk_crash crash, uint64_t seed)
{
    const struct disk *disk = disk_get();
    struct image *image = calloc(1, sizeof *image);
    image->crash = crash;
    image->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    image->files = calloc((size_t)disk->n_files + 1, sizeof *image->files);
    image->names = calloc(disk->n_base + disk->n_operations + 1, sizeof *image->names);
    image->pending = calloc(disk->n_operations + 1, sizeof *image->pending);
    for (size_t i = 0; i < disk->n_base; i++)
        set_name(image, disk->base[i].name, disk->base[i].file);
    for (int i = 0; i < disk->n_contents; i++) {
        set_size(&image->files[i], disk->contents[i].size);
        if (disk->contents[i].size > 0)
            memcpy(image->files[i].bytes, disk->contents[i].bytes, disk->contents[i].size);
    }
    for (size_t i = 0; i < moment; i++)
        take(image, i);
    return image;
}

static void free_image(struct image *image)
{
    for (int i = 0; i < disk_get()->n_files; i++) {
        free(image->files[i].bytes);
        free(image->files[i].pending);
    }
    for (size_t i = 0; i < image->n_names; i++)
        free(image->names[i].name);
    free(image->names);
    free(image->files);
    free(image->pending);
    free(image);
}

struct content disk_content(int file)
{
    struct image *image = make_image(disk_get()->n_operations, CRASH_LOST, 0);
    struct content content = {image->files[file].bytes, image->files[file].size};
    image->files[file].bytes = NULL;
    free_image(image);
    return content;
}

/* Folders first: a name in a folder that is not there is not there either. */
static void write_names(const struct image *image, const char *into, bool folders)
{
    for (size_t i = 0; i < image->n_names; i++) {
        const struct name *name = &image->names[i];
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", into, name->name);
        if (folders && name->file == DIRECTORY && mkdirat(AT_FDCWD, path, 0700) != 0 &&
            errno != ENOENT)
            abort();
        if (folders || name->file == DIRECTORY)
            continue;
        const struct file *file = &image->files[name->file];
        disk_write_file(path, (struct content){file->bytes, file->size});
    }
}

void disk_image(size_t moment, enum disk_crash crash, uint64_t seed, const char *into)
{
    disk_lock();
    struct image *image = make_image(moment, crash, seed);
    for (int i = 0; i < disk_get()->n_files; i++)
        settle(image, &image->files[i], false);
    size_t kept = crash == CRASH_LOST   ? 0
                  : crash == CRASH_KEPT ? SIZE_MAX
                                        : (size_t)(next_random(image) % (image->n_pending + 1));
    for (size_t i = 0; i < image->n_pending && i < kept; i++)
        apply_name(image, &disk_get()->operations[image->pending[i]]);
    if (mkdirat(AT_FDCWD, into, 0700) != 0 && errno != EEXIST)
        abort();
    write_names(image, into, true);
    write_names(image, into, false);
    free_image(image);
    disk_unlock();
}
