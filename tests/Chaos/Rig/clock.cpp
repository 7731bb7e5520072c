// A process that loads this before the C library reads a wall clock that can be set from outside while it runs: the file named in
// CHAOS_CLOCK holds the seconds by which it is wrong. What measures intervals (CLOCK_MONOTONIC) stays right, as when an administrator or
// NTP sets a machine's clock.
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *wrong_by;

__attribute__((constructor)) static void open_clock()
{
    const char *path = getenv("CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) wrong_by = static_cast<const int64_t *>(page);
    close(file);
}

extern "C" int clock_gettime(clockid_t clock, timespec *time) noexcept
{
    static const auto real = reinterpret_cast<int (*)(clockid_t, timespec *)>(dlsym(RTLD_NEXT, "clock_gettime"));
    int result = real(clock, time);
    if (result == 0 && wrong_by && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += *wrong_by;
    return result;
}
