/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What subcommands of byepass-bench share: numbers on the command line, CPUs, the machine's description, and
 * JSON as it is written.
 */
#ifndef BYEPASS_BENCH_SUPPORT_H
#define BYEPASS_BENCH_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Runs the calling thread on one CPU, counted from 0 among those that the process may use. */
void bench_pin(unsigned cpu);

/* Says what is wrong and exits with 2. */
_Noreturn void bench_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "1,10,30" to numbers; exits with 2 when it is something else. Returns how many. */
unsigned bench_numbers(const char *text, unsigned *out, unsigned most);

/* A JSON document as it is written: commas are put where they belong. A NULL file writes nothing. */
struct bench_json {
	FILE *file;
	bool comma;
};

/* @path NULL: nothing is written. Exits with 1 when the file cannot be made. */
struct bench_json bench_json_open(const char *path);
void bench_json_close(struct bench_json *json);
/* @key NULL: an element of an array. */
void bench_json_begin(struct bench_json *json, const char *key, char bracket);
void bench_json_end(struct bench_json *json, char bracket);
void bench_json_text(struct bench_json *json, const char *key, const char *value);
void bench_json_number(struct bench_json *json, const char *key, double value);

/* CPU, cores, memory, kernel: printed, and as "machine" into the JSON. */
void bench_machine(struct bench_json *json);

#endif
