/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK's log stream. While the data path starts, lines are kept and not shown: several of
 * them are about things that do not matter (a kernel without multiq), and when the start fails the
 * error names the one that does. Afterwards they go to stderr as they come.
 */
#include "worker/eal_log.h"
#include "worker/eal.h"

#include <rte_log.h>

#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES 64
#define LINE_SIZE 256
#define FAILED "failed to initialize"

static struct {
	pthread_mutex_t lock;
	FILE *stream;
	bool held;
	unsigned count;
	char lines[LINES][LINE_SIZE];
	char answer[LINE_SIZE];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* One message of DPDK, which may have several lines or only the end of one. */
static ssize_t
take(void *cookie, const char *text, size_t size)
{
	pthread_mutex_lock(&kept.lock);
	if (!kept.held) {
		fprintf(stderr, "dpdk: %.*s%s", (int)size, text, size && text[size - 1] == '\n' ? "" : "\n");
	} else if (kept.count < LINES) {
		char *line = kept.lines[kept.count++];
		size_t used = size < LINE_SIZE ? size : LINE_SIZE - 1;

		memcpy(line, text, used);
		while (used > 0 && isspace((unsigned char)line[used - 1]))
			used--;
		line[used] = '\0';
		for (size_t i = 0; i < used; i++)
			if (iscntrl((unsigned char)line[i]))
				line[i] = ' ';
		if (used == 0)
			kept.count--;
	}
	pthread_mutex_unlock(&kept.lock);
	return (ssize_t)size;
}

void
bp_eal_log_open(void)
{
	kept.held = true;
	kept.count = 0;
	if (kept.stream)
		return;
	kept.stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take});
	if (kept.stream) {
		setvbuf(kept.stream, NULL, _IOLBF, 0);
		rte_openlog_stream(kept.stream);
	}
}

void
bp_eal_log_close(void)
{
	rte_openlog_stream(NULL);
	if (kept.stream)
		fclose(kept.stream);
	kept.stream = NULL;
}

void
bp_eal_log_hold(bool held)
{
	pthread_mutex_lock(&kept.lock);
	kept.held = held;
	kept.count = 0;
	pthread_mutex_unlock(&kept.lock);
}

/* libbpf_print_fn_t and libxdp_print_fn_t; level 0 is a warning in both. */
static int
take_print(int level, const char *format, va_list list)
{
	char text[LINE_SIZE];
	int size;

	if (level > 0)
		return 0;
	size = vsnprintf(text, sizeof(text), format, list);
	if (size > 0)
		take(NULL, text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
	return size;
}

static void
redirect(const char *library, const char *function)
{
	void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
	void *set_print = handle ? dlsym(handle, function) : NULL;

	if (set_print)
		((void *(*)(int (*)(int, const char *, va_list)))(uintptr_t)set_print)(take_print);
	if (handle)
		dlclose(handle); /* one reference less; the driver keeps its own */
}

void
bp_eal_log_libraries(void)
{
	redirect("libbpf.so.1", "libbpf_set_print");
	redirect("libbpf.so.0", "libbpf_set_print");
	redirect("libxdp.so.1", "libxdp_set_print");
}

/* True when the line speaks of the device: of its name or of the value of one of its arguments. */
static bool
names(const char *line, const char *device)
{
	char word[BP_CONFIG_DEVICE_SIZE];

	while (*device) {
		size_t size = strcspn(device, ",");
		const char *equals = memchr(device, '=', size);
		const char *from = equals ? equals + 1 : device;
		size_t length = size - (size_t)(from - device);

		if (length > 2 && length < sizeof(word)) {
			memcpy(word, from, length);
			word[length] = '\0';
			if (strstr(line, word))
				return true;
		}
		device += size;
		device += *device == ',';
	}
	return false;
}

/* Without the name of the C function that most drivers put in front. */
static const char *
text_of(const char *line)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return name > 0 && strncmp(line + name, "(): ", 4) == 0 ? line + name + 4 : line;
}

const char *
bp_eal_complaint(const char *device)
{
	const char *found = "";

	pthread_mutex_lock(&kept.lock);
	if (!*device && kept.count)
		found = kept.lines[0];
	for (unsigned i = 0; i < kept.count && *device; i++) {
		if (!names(kept.lines[i], device))
			continue;
		/* the bus's line, which has the name, comes last; the driver's first says why */
		if (strstr(kept.lines[i], FAILED))
			while (i > 0 && !strstr(kept.lines[i - 1], FAILED) &&
				!strstr(kept.lines[i - 1], "EAL: "))
				i--;
		found = kept.lines[i];
		break;
	}
	snprintf(kept.answer, sizeof(kept.answer), "%s", text_of(found));
	pthread_mutex_unlock(&kept.lock);
	return kept.answer;
}
