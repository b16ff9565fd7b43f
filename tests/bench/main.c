/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass-bench: one program, a subcommand for each thing that is measured.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct bench_command *const commands[] = {
	&bench_table,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

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

static void
help(FILE *out)
{
	fputs("usage: byepass-bench COMMAND [OPTION...]; COMMAND --help tells its options\n\n", out);
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	for (unsigned i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
	bench_usage("unknown command \"%s\"", argv[1]);
}
