/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers on the command line, the machine, JSON. See support.h.
 */
#include "support.h"

#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

_Noreturn void
bench_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("byepass-bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputs(" (--help)\n", stderr);
	va_end(arguments);
	exit(2);
}

void
bench_pin(unsigned cpu)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(getpid(), sizeof(allowed), &allowed) != 0)
		return;
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &allowed) && cpu-- == 0)
			CPU_SET(i, &one);
	if (CPU_COUNT(&one) == 1)
		sched_setaffinity(0, sizeof(one), &one);
}

unsigned
bench_numbers(const char *text, unsigned *out, unsigned most)
{
	const char *all = text;
	unsigned count = 0;
	char *end;

	for (;; text = end + 1) {
		unsigned long number = strtoul(text, &end, 10);

		if (end == text || (*end != ',' && *end != '\0') || number == 0 || number > UINT32_MAX || count == most)
			bench_usage("\"%s\" is no list of numbers", all);
		out[count++] = (unsigned)number;
		if (*end == '\0')
			return count;
	}
}

struct bench_json
bench_json_open(const char *path)
{
	struct bench_json json = {0};

	if (path == NULL)
		return json;
	json.file = fopen(path, "w");
	if (json.file == NULL) {
		perror(path);
		exit(1);
	}
	bench_json_begin(&json, NULL, '{');
	return json;
}

void
bench_json_close(struct bench_json *json)
{
	if (json->file == NULL)
		return;
	bench_json_end(json, '}');
	fputc('\n', json->file);
	if (fclose(json->file) != 0) {
		perror("--json");
		exit(1);
	}
}

static void
put_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		if ((unsigned char)*text < ' ')
			fprintf(file, "\\u%04x", *text);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

static void
begin_value(struct bench_json *json, const char *key)
{
	if (json->comma)
		fputs(",\n", json->file);
	json->comma = true;
	if (key == NULL)
		return;
	put_string(json->file, key);
	fputs(": ", json->file);
}

void
bench_json_begin(struct bench_json *json, const char *key, char bracket)
{
	if (json->file == NULL)
		return;
	begin_value(json, key);
	fputc(bracket, json->file);
	json->comma = false;
}

void
bench_json_end(struct bench_json *json, char bracket)
{
	if (json->file == NULL)
		return;
	fputc(bracket, json->file);
	json->comma = true;
}

void
bench_json_text(struct bench_json *json, const char *key, const char *value)
{
	if (json->file == NULL)
		return;
	begin_value(json, key);
	put_string(json->file, value);
}

void
bench_json_number(struct bench_json *json, const char *key, double value)
{
	if (json->file == NULL)
		return;
	begin_value(json, key);
	fprintf(json->file, "%.15g", value);
}

/* The first line of @path that begins with @name, behind its colon. */
static void
read_field(const char *path, const char *name, char *out, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[512];

	snprintf(out, size, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *value = strchr(line, ':');

		if (strncmp(line, name, strlen(name)) != 0 || value == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, size, "%s", value + 1 + strspn(value + 1, " \t"));
		break;
	}
	if (file != NULL)
		fclose(file);
}

void
bench_machine(struct bench_json *json)
{
	char cpu[128], memory[64];
	double load = 0;
	struct utsname system;

	read_field("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	read_field("/proc/meminfo", "MemTotal", memory, sizeof(memory));
	uname(&system);
	printf("%s, %ld CPUs, %s of memory, Linux %s\n", cpu, sysconf(_SC_NPROCESSORS_ONLN), memory, system.release);
	bench_json_begin(json, "machine", '{');
	bench_json_text(json, "cpu", cpu);
	bench_json_number(json, "cpus", (double)sysconf(_SC_NPROCESSORS_ONLN));
	bench_json_text(json, "memory", memory);
	bench_json_text(json, "kernel", system.release);
	if (getloadavg(&load, 1) == 1)
		bench_json_number(json, "load_average", load);
	bench_json_end(json, '}');
}
