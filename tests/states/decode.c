/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What scripts/decode-state runs: state words, branches and route tokens in words. Their layouts are those of
 * the data path's own headers and readers. A branch or token is opened without its key: anybody can have
 * written it.
 */
#include "words.h"

#include "dialog/route_token.h"
#include "transaction/branch_id.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char hint[] = "usage: decode-state [--server|--branch|--dialog] [--invite|--other] [WORD|BRANCH|TOKEN]...";

struct asked {
	const struct word_kind *kind; /* NULL: by what stands before the word, or by its bits */
	enum method_kind method;
};

static const struct word_kind *const kinds[] = {&server_word, &branch_word};

static bool
is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool
has_prefix(const char *text, size_t size)
{
	return size > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
}

/* A hexadecimal number has "0x" before it, or is sixteen digits that can be no decimal ones. */
static bool
is_hexadecimal(const char *text, size_t size)
{
	return has_prefix(text, size) || (size == 16 && (text[0] == '0' || strspn(text, "0123456789") < 16));
}

/* False: no number. */
static bool
read_number(const char *text, size_t size, uint64_t *value)
{
	bool prefixed = has_prefix(text, size);
	size_t digits = prefixed ? size - 2 : size;
	char copy[24], *end;

	if (digits == 0 || size >= sizeof(copy) || (prefixed && digits > 16))
		return false;
	memcpy(copy, text, size);
	copy[size] = 0;
	if (!isxdigit((unsigned char)copy[prefixed ? 2 : 0])) /* strtoull would take a sign */
		return false;
	errno = 0;
	*value = strtoull(copy, &end, is_hexadecimal(text, size) ? 16 : 10);
	return *end == 0 && errno == 0;
}

static void
print_word(uint64_t word, const struct word_kind *kind, const struct asked *asked)
{
	printf("  0x%016" PRIx64 "  ", word);
	word_print(stdout, kind, word, asked->method);
	putchar('\n');
}

/* Every reading that the bits allow; with @force, all when they allow none. */
static void
print_readings(uint64_t word, const struct asked *asked, bool force)
{
	bool printed = false;

	for (unsigned i = 0; i < 2; i++)
		if (word_is_plausible(kinds[i], word, asked->method)) {
			print_word(word, kinds[i], asked);
			printed = true;
		}
	for (unsigned i = 0; i < 2 && force && !printed; i++)
		print_word(word, kinds[i], asked);
}

static bool
print_branch_id(const char *text, size_t size)
{
	struct bp_branch_id id;

	if (bp_branch_id_open(text, (unsigned)size, &id)) {
		printf("  %.*s  branch of a record: index %" PRIu32 ", generation %" PRIu32 ", branch %u\n",
			(int)size, text, id.index, id.generation, id.branch);
		return true;
	}
	if (size == BP_BRANCH_ID_STATELESS_SIZE &&
		memcmp(text, BP_BRANCH_ID_STATELESS_PREFIX, sizeof(BP_BRANCH_ID_STATELESS_PREFIX) - 1) == 0) {
		printf("  %.*s  branch without a record: an ACK that was forwarded (16.11)\n", (int)size, text);
		return true;
	}
	return false;
}

static bool
print_token(const char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN], call[64] = "no call";
	struct bp_route_token token;
	const struct bp_ip *ip = &token.onward.ip;
	bool v4;

	if (size > BP_ROUTE_TOKEN_SIZE_MAX || !bp_route_token_open(text, (unsigned)size, &token))
		return false;
	v4 = bp_ip_is_v4(ip);
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip->bytes + 12 : ip->bytes, address, sizeof(address));
	if (token.index != UINT32_MAX)
		snprintf(call, sizeof(call), "call %" PRIu32 " generation %" PRIu32, token.index, token.generation);
	printf("  %.*s  route token: key %u, node %u, epoch %" PRIu32 ", used by the %s, %s, onward to %s%s%s:%u "
	       "by listener mark %u\n",
		(int)size, text, token.key_id, token.node, token.epoch,
		token.side == BP_SIDE_CALLER ? "caller" : "callee", call, v4 ? "" : "[", address, v4 ? "" : "]",
		token.onward.port, token.onward.listener);
	return true;
}

/* The name that stands before "= WORD" or ": WORD"; a cast in parentheses may stand between. */
static const struct word_kind *
kind_by_name(const char *line, const char *at)
{
	static const struct {
		const char *name;
		const struct word_kind *kind;
	} names[] = {{"server", &server_word}, {"branch", &branch_word}, {"word", &branch_word}};
	const char *begin;
	size_t size;

	while (at > line && at[-1] == ' ')
		at--;
	if (at == line || (at[-1] != '=' && at[-1] != ':'))
		return NULL;
	for (at--; at > line && at[-1] == ' '; at--)
		;
	for (begin = at; begin > line && is_word_char(begin[-1]); begin--)
		;
	size = (size_t)(at - begin);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == size && memcmp(names[i].name, begin, size) == 0)
			return names[i].kind;
	return NULL;
}

/* A number within a line. Without a name it is taken for a word only if it looks like one: written as a debugger writes
 * words, of a slot that was in use before. */
static void
decode_number(const char *line, const char *text, size_t size, const struct asked *asked)
{
	const struct word_kind *kind = kind_by_name(line, text);
	bool hex = is_hexadecimal(text, size);
	uint64_t word;

	if (!read_number(text, size, &word))
		return;
	if (asked->kind != NULL && (hex || kind == asked->kind))
		print_word(word, asked->kind, asked);
	else if (asked->kind == NULL && kind != NULL)
		print_word(word, kind, asked);
	else if (asked->kind == NULL && hex && word >> 32 != 0 && text[size] != ':')
		print_readings(word, asked, false);
}

static void
decode_line(const char *line, const struct asked *asked)
{
	for (const char *at = line; *at;) {
		size_t size = 0;

		while (is_word_char(at[size]))
			size++;
		if (size == 0) {
			at++;
			continue;
		}
		if (!print_branch_id(at, size) &&
			!(at - line >= 4 && memcmp(at - 4, "sip:", 4) == 0 && at[size] == '@' && print_token(at, size)))
			decode_number(line, at, size, asked);
		at += size;
	}
}

static void
filter(const struct asked *asked)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\r\n")] = 0;
		puts(line);
		decode_line(line, asked);
		fflush(stdout);
	}
	free(line);
}

static bool
decode_argument(const char *text, const struct asked *asked)
{
	size_t size = strlen(text);
	uint64_t word;

	if (read_number(text, size, &word)) {
		if (asked->kind != NULL)
			print_word(word, asked->kind, asked);
		else
			print_readings(word, asked, true);
		return true;
	}
	if (print_branch_id(text, size) || print_token(text, size))
		return true;
	fprintf(stderr, "decode-state: \"%s\" is no word, no branch and no route token\n", text);
	return false;
}

static bool
option(const char *text, struct asked *asked)
{
	if (strcmp(text, "--server") == 0)
		asked->kind = &server_word;
	else if (strcmp(text, "--branch") == 0)
		asked->kind = &branch_word;
	else if (strcmp(text, "--dialog") == 0)
		asked->kind = &dialog_word;
	else if (strcmp(text, "--invite") == 0)
		asked->method = METHOD_INVITE;
	else if (strcmp(text, "--other") == 0)
		asked->method = METHOD_OTHER;
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct asked asked = {NULL, METHOD_UNKNOWN};
	bool good = true, any = false;

	/* Options count for all words, wherever they stand. */
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0 && !option(argv[i], &asked)) {
			fprintf(stderr, "%s\n", hint);
			return 2;
		}
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--", 2) != 0) {
			any = true;
			good &= decode_argument(argv[i], &asked);
		}
	if (!any)
		filter(&asked);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
