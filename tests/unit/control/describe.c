/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prints what the code says of itself: `describe configuration`, `describe metrics`, `describe cdr`.
 * docs_test.py holds the documents to it.
 */
#include "cdr/format.h"
#include "config/load.h"
#include "http/api.h"

#include <string.h>

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "configuration") == 0)
		bp_config_describe(stdout);
	else if (argc == 2 && strcmp(argv[1], "metrics") == 0)
		bp_metrics_describe(stdout);
	else if (argc == 2 && strcmp(argv[1], "cdr") == 0)
		bp_cdr_describe(stdout);
	else
		return 2;
	return 0;
}
