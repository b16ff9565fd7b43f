/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The daemon's command line.
 */
#include "config/load.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_CHECK = 256 };

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
usage(FILE *stream)
{
	fprintf(stream, "usage: byepass --config FILE [--check]\n"
			"\n"
			"  -c, --config FILE  read the configuration from FILE (YAML)\n"
			"      --check        validate it, say what it comes to, and exit\n"
			"  -V, --version      print the version\n"
			"  -h, --help         print this\n");
}

int
main(int argc, char **argv)
{
	struct bp_config *config = NULL;
	struct bp_report *report;
	const char *path = NULL;
	bool check = false;
	int option, result;

	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case OPTION_CHECK:
			check = true;
			break;
		case 'V':
			printf("byepass %s\n", BP_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (path == NULL || optind != argc) {
		usage(stderr);
		return 1;
	}
	report = calloc(1, sizeof(*report));
	if (report == NULL)
		return 1;
	result = bp_config_load(&config, path, report);
	bp_report_print(report, stderr);
	for (unsigned i = 0; i < report->notices && result == 0; i++)
		fprintf(stderr, "%s: notice: %s\n", path, report->notice[i]);
	free(report);
	if (result != 0)
		return 1;
	if (check) {
		printf("%s: good\n", path);
		bp_config_summary(config, stdout);
	} else {
		fprintf(stderr, "byepass: this build only checks configurations\n");
		result = 1;
	}
	bp_config_free(config);
	return result;
}
