/* SPDX-License-Identifier: BSD-3-Clause
 *
 * main() of the fuzz targets in the ordinary tests: gives each file of the folders named (or each file named)
 * to the target, once. The first folder must hold something, the others need not exist. A target that aborts
 * leaves the name of its input on stderr.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char path[PATH_SIZE]; /* of the input that is running */

static void
say_path(int signal_number)
{
	static const char before[] = "replay: the input was ";

	if (write(STDERR_FILENO, before, sizeof(before) - 1) < 0 ||
		write(STDERR_FILENO, path, strlen(path)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(1);
	raise(signal_number); /* SA_RESETHAND: this time for good */
}

static void
die(const char *what)
{
	fprintf(stderr, "replay: %s: ", path);
	perror(what);
	exit(1);
}

static void
run_file(void)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes, *exact;
	struct stat status;
	size_t size;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		die("open");
	bytes = malloc((size_t)status.st_size + 1);
	size = fread(bytes, 1, (size_t)status.st_size, file);
	if (size != (size_t)status.st_size)
		die("read");
	fclose(file);
	/* of exactly its size, so that a sanitizer sees a step outside */
	exact = malloc(size ? size : 1);
	memcpy(exact, bytes, size);
	free(bytes);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static unsigned
run_folder(const char *folder)
{
	struct dirent **entries;
	unsigned count = 0;
	int found = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < found; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
			run_file();
			count++;
		}
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return count;
}

static unsigned
run(const char *what)
{
	struct stat status;

	snprintf(path, sizeof(path), "%s", what);
	if (stat(what, &status) != 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return run_folder(what);
	run_file();
	return 1;
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = say_path, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
	unsigned count = 0;

	sigaction(SIGABRT, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	for (int i = 1; i < argc; i++) {
		unsigned here = run(argv[i]);

		if (here == 0 && i == 1) {
			fprintf(stderr, "replay: nothing in %s\n", argv[i]);
			return 1;
		}
		count += here;
	}
	printf("%u inputs\n", count);
	return count == 0;
}
