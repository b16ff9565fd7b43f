/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The secrets file: 32 hexadecimal digits a line, '#' comments and empty lines
 * allowed. The first key signs route tokens, the others are still accepted. A file
 * that others may read is not a secret.
 */
#include "config/load.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 32

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 1: a key, 0: nothing on this line, -1: neither. */
static int
parse_line(char *line, uint8_t key[16])
{
	char *start = line + strspn(line, " \t");
	size_t size = strcspn(start, "#\r\n");

	while (size > 0 && strchr(" \t", start[size - 1]) != NULL)
		size--;
	if (size == 0)
		return 0;
	if (size != DIGITS)
		return -1;
	for (size_t i = 0; i < DIGITS / 2; i++) {
		int high = digit(start[2 * i]), low = digit(start[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return 1;
}

static const char *
read_keys(struct bp_config *config, FILE *file, char *why, size_t size)
{
	unsigned number = 0, count = 0;
	char line[256];
	uint8_t key[16];

	while (fgets(line, sizeof(line), file) != NULL) {
		int kind = parse_line(line, key);

		number++;
		if (kind < 0) {
			snprintf(why, size, "a file whose line %u is no key", number);
			goto refuse;
		}
		if (kind == 0)
			continue;
		if (count > BP_CONFIG_OLD_SECRETS_MAX) {
			snprintf(why, size, "a file with more than %d keys", BP_CONFIG_OLD_SECRETS_MAX + 1);
			goto refuse;
		}
		memcpy(count == 0 ? config->secret : config->old_secrets[count - 1], key, sizeof(key));
		count++;
	}
	if (count == 0) {
		snprintf(why, size, "a file without a key");
		goto refuse;
	}
	config->old_secret_count = (uint8_t)(count - 1);
	why = NULL;
refuse:
	explicit_bzero(line, sizeof(line));
	explicit_bzero(key, sizeof(key));
	return why;
}

const char *
bp_config_secrets(struct bp_config *config, const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	const char *result = why;
	FILE *file;

	if (fd < 0) {
		snprintf(why, size, "a file that cannot be read (%s)", strerror(errno));
		return why;
	}
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		snprintf(why, size, "something that is not a regular file");
	} else if ((status.st_mode & S_IRWXO) != 0) {
		snprintf(why, size, "a file that everybody may use (mode %04o)",
			(unsigned)status.st_mode & 07777);
	} else {
		file = fdopen(fd, "r");
		if (file == NULL) {
			snprintf(why, size, "a file that cannot be read (%s)", strerror(errno));
		} else {
			setvbuf(file, NULL, _IONBF, 0); /* leaves no copy of the keys on the heap */
			result = read_keys(config, file, why, size);
			fclose(file);
			return result;
		}
	}
	close(fd);
	return result;
}
