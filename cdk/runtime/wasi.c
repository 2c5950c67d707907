/* The system interface of wasi-libc, answered inside the canister.
 *
 * wasi-libc reaches its host through `__imported_wasi_snapshot_preview1_*`. Defining those symbols here binds them at
 * link time, so that the module imports `ic0` alone. The world they describe: no arguments, no environment, no files,
 * a clock that is the message's time, standard output that is the canister's log, and no randomness at all. */
#include "ic0.h"

#include <errno.h>

typedef int32_t i32;
typedef int64_t i64;

#define WASI(name) __imported_wasi_snapshot_preview1_##name

enum { OK = 0, BADF = 8, NOENT = 44, NOSYS = 52, SPIPE = 70 };
enum { FILETYPE_CHARACTER_DEVICE = 2 };

#define ANSWER(name, errno_value, ...) \
    i32 WASI(name)(__VA_ARGS__) { return errno_value; }

/* Arguments and environment: none. */
static i32 none(i32 *count, i32 *size) {
    *count = 0;
    *size = 0;
    return OK;
}
i32 WASI(args_sizes_get)(i32 *count, i32 *size) { return none(count, size); }
i32 WASI(environ_sizes_get)(i32 *count, i32 *size) { return none(count, size); }
ANSWER(args_get, OK, i32 a, i32 b)
ANSWER(environ_get, OK, i32 a, i32 b)

/* Every clock is the message's time. */
i32 WASI(clock_res_get)(i32 clock, i64 *resolution) {
    *resolution = 1;
    return OK;
}
i32 WASI(clock_time_get)(i32 clock, i64 precision, i64 *time) {
    *time = ic0_time();
    return OK;
}

/* Standard streams: input is empty, output goes to the log a line at a time. */
struct span {
    const char *data;
    i32 size;
};

static char line[1024];
static size_t line_size;

static void log_line(void) {
    ic0_debug_print(line, (i32)line_size);
    line_size = 0;
}

static void log_bytes(const char *data, i32 size) {
    for (i32 i = 0; i < size; i++) {
        if (data[i] == '\n' || line_size == sizeof line) log_line();
        if (data[i] != '\n') line[line_size++] = data[i];
    }
}

i32 WASI(fd_write)(i32 fd, const struct span *vectors, i32 count, i32 *written) {
    if (fd != 1 && fd != 2) return BADF;
    *written = 0;
    for (i32 i = 0; i < count; i++) {
        log_bytes(vectors[i].data, vectors[i].size);
        *written += vectors[i].size;
    }
    return OK;
}

i32 WASI(fd_read)(i32 fd, i32 vectors, i32 count, i32 *read) {
    *read = 0;
    return fd == 0 ? OK : BADF;
}

i32 WASI(fd_fdstat_get)(i32 fd, uint8_t *stat) { /* 24 bytes: filetype at 0, rights at 8 and 16 */
    if (fd < 0 || fd > 2) return BADF;
    memset(stat, 0, 24);
    stat[0] = FILETYPE_CHARACTER_DEVICE;
    memset(stat + 8, 0xff, 16);
    return OK;
}

i32 WASI(fd_filestat_get)(i32 fd, uint8_t *stat) { /* 64 bytes: filetype at 16 */
    if (fd < 0 || fd > 2) return BADF;
    memset(stat, 0, 64);
    stat[16] = FILETYPE_CHARACTER_DEVICE;
    return OK;
}

ANSWER(fd_seek, SPIPE, i32 a, i64 b, i32 c, i32 d)
ANSWER(fd_tell, SPIPE, i32 a, i32 b)

/* Files: none, and none can be made. The compiler's C library has a `close` that would import the host's by another
 * name, so `close` itself is ours too. */
int close(int fd) {
    errno = EBADF;
    return -1;
}

ANSWER(fd_advise, BADF, i32 a, i64 b, i64 c, i32 d)
ANSWER(fd_allocate, BADF, i32 a, i64 b, i64 c)
ANSWER(fd_close, BADF, i32 a)
ANSWER(fd_datasync, BADF, i32 a)
ANSWER(fd_fdstat_set_flags, BADF, i32 a, i32 b)
ANSWER(fd_fdstat_set_rights, BADF, i32 a, i64 b, i64 c)
ANSWER(fd_filestat_set_size, BADF, i32 a, i64 b)
ANSWER(fd_filestat_set_times, BADF, i32 a, i64 b, i64 c, i32 d)
ANSWER(fd_pread, BADF, i32 a, i32 b, i32 c, i64 d, i32 e)
ANSWER(fd_prestat_get, BADF, i32 a, i32 b)
ANSWER(fd_prestat_dir_name, BADF, i32 a, i32 b, i32 c)
ANSWER(fd_pwrite, BADF, i32 a, i32 b, i32 c, i64 d, i32 e)
ANSWER(fd_readdir, BADF, i32 a, i32 b, i32 c, i64 d, i32 e)
ANSWER(fd_renumber, BADF, i32 a, i32 b)
ANSWER(fd_sync, BADF, i32 a)
ANSWER(path_create_directory, NOSYS, i32 a, i32 b, i32 c)
ANSWER(path_filestat_get, NOENT, i32 a, i32 b, i32 c, i32 d, i32 e)
ANSWER(path_filestat_set_times, NOSYS, i32 a, i32 b, i32 c, i32 d, i64 e, i64 f, i32 g)
ANSWER(path_link, NOSYS, i32 a, i32 b, i32 c, i32 d, i32 e, i32 f, i32 g)
ANSWER(path_open, NOENT, i32 a, i32 b, i32 c, i32 d, i32 e, i64 f, i64 g, i32 h, i32 i)
ANSWER(path_readlink, NOENT, i32 a, i32 b, i32 c, i32 d, i32 e, i32 f)
ANSWER(path_remove_directory, NOENT, i32 a, i32 b, i32 c)
ANSWER(path_rename, NOENT, i32 a, i32 b, i32 c, i32 d, i32 e, i32 f)
ANSWER(path_symlink, NOSYS, i32 a, i32 b, i32 c, i32 d, i32 e)
ANSWER(path_unlink_file, NOENT, i32 a, i32 b, i32 c)

/* Processes, sockets and waiting: none. */
ANSWER(poll_oneoff, NOSYS, i32 a, i32 b, i32 c, i32 d)
ANSWER(proc_raise, NOSYS, i32 a)
ANSWER(sched_yield, OK, void)
ANSWER(sock_accept, NOSYS, i32 a, i32 b, i32 c)
ANSWER(sock_recv, NOSYS, i32 a, i32 b, i32 c, i32 d, i32 e, i32 f)
ANSWER(sock_send, NOSYS, i32 a, i32 b, i32 c, i32 d, i32 e)
ANSWER(sock_shutdown, NOSYS, i32 a, i32 b)

__attribute__((noreturn)) void WASI(proc_exit)(i32 code) {
    if (line_size) log_line();
    trap("the process exited: see the canister's log");
}

/* A canister has no private randomness, and every node must get the same bytes: refuse, so that os.urandom raises.
 * (Python's hash seed is set by configuration; canisters ask the management canister's raw_rand.) */
ANSWER(random_get, NOSYS, i32 a, i32 b)
