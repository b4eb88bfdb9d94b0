// Names of addresses. dladdr(3) knows only what a file exports, and an executable exports nothing; so the
// file itself is asked, which has the names of private functions, too, unless it was stripped.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CBacktrace.h"

struct file {
    const unsigned char *bytes;
    size_t size;
};

static bool map(const char *path, struct file *file) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    struct stat status;
    void *bytes = MAP_FAILED;
    if (fstat(descriptor, &status) == 0 && status.st_size > 0) {
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    }
    close(descriptor);
    if (bytes == MAP_FAILED) return false;
    *file = (struct file){bytes, (size_t)status.st_size};
    return true;
}

/// Whether `count` things of `size` bytes at `offset` lie within the file.
static bool holds(const struct file *file, uint64_t offset, uint64_t count, uint64_t size) {
    return offset <= file->size && (size == 0 || count <= (file->size - offset) / size);
}

static const ElfW(Shdr) * sections(const struct file *file, unsigned *count) {
    const ElfW(Ehdr) *header = (const void *)file->bytes;
    if (!holds(file, 0, 1, sizeof *header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        header->e_shentsize != sizeof(ElfW(Shdr)) ||
        !holds(file, header->e_shoff, header->e_shnum, sizeof(ElfW(Shdr)))) {
        return NULL;
    }
    *count = header->e_shnum;
    return (const void *)(file->bytes + header->e_shoff);
}

/// Looks through one table of symbols for the function that has the address.
static bool search(const struct file *file, const ElfW(Shdr) * table, const ElfW(Shdr) * strings,
                   uintptr_t address, struct bt_place *place) {
    if (!holds(file, table->sh_offset, 1, table->sh_size) ||
        !holds(file, strings->sh_offset, 1, strings->sh_size)) {
        return false;
    }
    const ElfW(Sym) *symbols = (const void *)(file->bytes + table->sh_offset);
    const char *names = (const char *)file->bytes + strings->sh_offset;
    for (size_t index = 0; index < table->sh_size / sizeof *symbols; index++) {
        const ElfW(Sym) *symbol = &symbols[index];
        if ((symbol->st_info & 0xf) != STT_FUNC || address < symbol->st_value ||
            address - symbol->st_value >= symbol->st_size || symbol->st_name >= strings->sh_size) {
            continue;
        }
        place->symbol = strndup(names + symbol->st_name, strings->sh_size - symbol->st_name);
        place->offset = address - symbol->st_value;
        return place->symbol != NULL;
    }
    return false;
}

static bool find_in_file(const char *path, struct bt_place *place) {
    struct file file;
    if (!map(path, &file)) return false;
    unsigned count = 0;
    const ElfW(Shdr) *section = sections(&file, &count);
    bool is_found = false;
    for (unsigned index = 0; section && index < count && !is_found; index++) {
        if (section[index].sh_type == SHT_SYMTAB && section[index].sh_link < count) {
            is_found =
                search(&file, &section[index], &section[section[index].sh_link], place->file_address, place);
        }
    }
    munmap((void *)file.bytes, file.size);
    return is_found;
}

bool bt_find(uintptr_t address, struct bt_place *place) {
    *place = (struct bt_place){0};
    Dl_info info = {0};
    struct link_map *map = NULL;
    if (dladdr1((void *)address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL) return false;
    // The name of the program itself is what it was started by, which need not lead to it any more.
    bool is_program = map->l_name == NULL || map->l_name[0] == '\0';
    place->file = strdup(info.dli_fname ? info.dli_fname : "");
    place->file_address = address - map->l_addr;
    if (!find_in_file(is_program ? "/proc/self/exe" : map->l_name, place) && info.dli_sname) {
        place->symbol = strdup(info.dli_sname);
        place->offset = address - (uintptr_t)info.dli_saddr;
    }
    return true;
}

void bt_place_free(struct bt_place *place) {
    free(place->symbol);
    free(place->file);
    *place = (struct bt_place){0};
}

/// As the Swift runtime does it, or the C++ runtime that it brings along, if they can be found.
char *bt_demangle(const char *symbol) {
    char *(*swift)(const char *, size_t, char *, size_t *, uint32_t) = NULL;
    char *(*cplusplus)(const char *, char *, size_t *, int *) = NULL;
    *(void **)&swift = dlsym(RTLD_DEFAULT, "swift_demangle");
    *(void **)&cplusplus = dlsym(RTLD_DEFAULT, "__cxa_demangle");
    char *name = swift ? swift(symbol, strlen(symbol), NULL, NULL, 0) : NULL;
    int status;
    return name || !cplusplus ? name : cplusplus(symbol, NULL, NULL, &status);
}
