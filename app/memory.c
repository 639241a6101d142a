/* Keeps a service that idles small.
 *
 * The pages of shared libraries that were only read to link and to check a model are dropped: they
 * are the files' own, and those used again are mapped again from the system's cache. So is what the
 * heap holds free. */
#include "app/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that were never writable have nothing but the file's bytes in them. The program's own
 * are few and about to be used. */
static int drop_library(struct dl_phdr_info *library, size_t size, void *context)
{
    (void)size;
    (void)context;
    if (!library->dlpi_name || !library->dlpi_name[0])
        return 0;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        uintptr_t start = (library->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (library->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        if (end > start) /* refused where pages are locked: then they stay */
            (void)!madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void memory_settle(void)
{
    malloc_trim(0);
    dl_iterate_phdr(drop_library, NULL);
}
