/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SIP as text, for tests. See text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct piece {
	struct piece *next;
	char text[];
};

static struct piece *pieces;

static char *
text_alloc(size_t size)
{
	struct piece *piece = malloc(sizeof(*piece) + size + 1);

	if (!piece)
		abort();
	piece->next = pieces;
	pieces = piece;
	piece->text[size] = '\0';
	return piece->text;
}

void
text_free_all(void)
{
	while (pieces) {
		struct piece *next = pieces->next;

		free(pieces);
		pieces = next;
	}
}

char *
text_copy(const void *bytes, size_t size)
{
	char *copy = text_alloc(size);

	memcpy(copy, bytes, size);
	return copy;
}

char *
text_printf(const char *format, ...)
{
	va_list arguments, again;
	char *text;
	int size;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	text = text_alloc((size_t)size);
	vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}

const char *
text_method(const char *message)
{
	if (strncmp(message, "SIP/2.0 ", 8) == 0)
		return NULL;
	return text_copy(message, strcspn(message, " \r\n"));
}

const char *
text_uri(const char *message)
{
	const char *uri = strchr(message, ' ');

	return uri ? text_copy(uri + 1, strcspn(uri + 1, " \r\n")) : "";
}

unsigned
text_status(const char *message)
{
	return strncmp(message, "SIP/2.0 ", 8) == 0 ? (unsigned)atoi(message + 8) : 0;
}

static const char *
short_name(const char *name)
{
	static const char *const names[][2] = {{"Via", "v"}, {"From", "f"}, {"To", "t"}, {"Call-ID", "i"},
		{"Contact", "m"}, {"Content-Length", "l"}, {"Content-Type", "c"}, {"Supported", "k"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i][0], name) == 0)
			return names[i][1];
	return name;
}

static bool
line_is(const char *line, const char *name)
{
	size_t size = strcspn(line, ": \t\r\n");
	const char *compact = short_name(name);

	return (size == strlen(name) && strncasecmp(line, name, size) == 0) ||
	       (size == strlen(compact) && strncasecmp(line, compact, size) == 0);
}

static const char *
next_line(const char *line)
{
	const char *end = strstr(line, "\r\n");

	return end ? end + 2 : line + strlen(line);
}

/* First header line of this name from @line on, or NULL at the blank line. */
static const char *
find_line(const char *line, const char *name)
{
	for (; *line && *line != '\r'; line = next_line(line))
		if (line_is(line, name))
			return line;
	return NULL;
}

static const char *
line_value(const char *line, size_t *size)
{
	const char *value = line + strcspn(line, ":\r\n");

	if (*value == ':')
		value++;
	while (*value == ' ' || *value == '\t')
		value++;
	*size = strcspn(value, "\r\n");
	return value;
}

const char *
text_header(const char *message, const char *name)
{
	const char *line = find_line(next_line(message), name);
	size_t size;

	if (!line)
		return NULL;
	line = line_value(line, &size);
	return text_copy(line, size);
}

/* Length of the first element of @value. */
static size_t
element_size(const char *value, size_t size)
{
	bool quoted = false, angled = false;

	for (size_t i = 0; i < size; i++) {
		if (value[i] == '"')
			quoted = !quoted;
		else if (!quoted && value[i] == '<')
			angled = true;
		else if (!quoted && value[i] == '>')
			angled = false;
		else if (!quoted && !angled && value[i] == ',')
			return i;
	}
	return size;
}

const char *
text_value(const char *message, const char *name, unsigned n)
{
	const char *line = next_line(message);

	while ((line = find_line(line, name))) {
		size_t size;
		const char *value = line_value(line, &size);

		for (;;) {
			size_t element = element_size(value, size);

			if (n-- == 0) {
				while (element > 0 &&
					(value[element - 1] == ' ' || value[element - 1] == '\t'))
					element--;
				return text_copy(value, element);
			}
			if (element == size)
				break;
			value += element + 1;
			size -= element + 1;
			for (; size > 0 && (*value == ' ' || *value == '\t'); size--)
				value++;
		}
		line = next_line(line);
	}
	return NULL;
}

unsigned
text_count(const char *message, const char *name)
{
	unsigned count = 0;

	while (text_value(message, name, count))
		count++;
	return count;
}

const char *
text_cseq_method(const char *message)
{
	const char *cseq = text_header(message, "CSeq");

	return cseq && strchr(cseq, ' ') ? strrchr(cseq, ' ') + 1 : "";
}

unsigned
text_cseq(const char *message)
{
	const char *cseq = text_header(message, "CSeq");

	return cseq ? (unsigned)strtoul(cseq, NULL, 10) : 0;
}

const char *
text_body(const char *message)
{
	const char *end = strstr(message, "\r\n\r\n");

	return end ? end + 4 : "";
}

static const char *
find_param(const char *params, const char *name, const char *stop)
{
	while ((params = strchr(params, ';'))) {
		size_t size;

		params++;
		size = strcspn(params, "=;?> \t,");
		if (size == strlen(name) && strncasecmp(params, name, size) == 0) {
			if (params[size] != '=')
				return "";
			params += size + 1;
			return text_copy(params, strcspn(params, stop));
		}
	}
	return NULL;
}

const char *
text_param(const char *value, const char *name)
{
	const char *params = strrchr(value, '>');

	return find_param(params ? params : value, name, "; \t,>");
}

const char *
text_address(const char *value)
{
	const char *open = strchr(value, '<');

	if (open)
		return text_copy(open + 1, strcspn(open + 1, ">"));
	return text_copy(value, strcspn(value, ";"));
}

const char *
text_uri_user(const char *uri)
{
	const char *user = strchr(uri, ':') + 1;
	size_t size = strcspn(user, "@;?");

	return user[size] == '@' ? text_copy(user, size) : "";
}

const char *
text_uri_hostport(const char *uri)
{
	const char *host = strchr(uri, '@') ? strchr(uri, '@') + 1 : strchr(uri, ':') + 1;

	return text_copy(host, strcspn(host, ";?"));
}

const char *
text_uri_param(const char *uri, const char *name)
{
	return find_param(uri, name, ";?");
}

const char *
text_sent_by(const char *via)
{
	const char *sent_by = strchr(via, ' ');

	return sent_by ? text_copy(sent_by + 1, strcspn(sent_by + 1, "; \t")) : "";
}

const char *
text_tag(const char *message, const char *name)
{
	const char *value = text_header(message, name);

	return value ? text_param(value, "tag") : NULL;
}

/* @message with @size bytes at @at replaced. */
static const char *
splice(const char *message, const char *at, size_t size, const char *with)
{
	return text_printf("%.*s%s%s", (int)(at - message), message, with, at + size);
}

static const char *
headers_end(const char *message)
{
	const char *end = strstr(message, "\r\n\r\n");

	if (!end)
		abort();
	return end + 2;
}

const char *
text_set(const char *message, const char *name, const char *value)
{
	const char *line = find_line(next_line(message), name);
	size_t size;

	if (!line)
		return splice(message, headers_end(message), 0, text_printf("%s: %s\r\n", name, value));
	line = line_value(line, &size);
	return splice(message, line, size, value);
}

const char *
text_delete(const char *message, const char *name)
{
	const char *line;

	while ((line = find_line(next_line(message), name)))
		message = splice(message, line, (size_t)(next_line(line) - line), "");
	return message;
}

const char *
text_add(const char *message, const char *line)
{
	return splice(message, headers_end(message), 0, text_printf("%s\r\n", line));
}

const char *
text_add_first(const char *message, const char *line)
{
	return splice(message, next_line(message), 0, text_printf("%s\r\n", line));
}

const char *
text_set_uri(const char *message, const char *uri)
{
	const char *old = strchr(message, ' ') + 1;

	return splice(message, old, strcspn(old, " "), uri);
}

const char *
text_set_method(const char *message, const char *method)
{
	message = text_set(message, "CSeq", text_printf("%u %s", text_cseq(message), method));
	return splice(message, message, strcspn(message, " "), method);
}

const char *
text_swap(const char *message, const char *from, const char *to)
{
	const char *at = strstr(message, from);

	if (!at) {
		fprintf(stderr, "text_swap: no \"%s\" in\n%s\n", from, message);
		abort();
	}
	return splice(message, at, strlen(from), to);
}

const char *
text_set_body(const char *message, const char *type, const char *body)
{
	message = text_copy(message, (size_t)(headers_end(message) + 2 - message));
	message = text_set(message, "Content-Length", text_printf("%zu", strlen(body)));
	if (type)
		message = text_set(message, "Content-Type", type);
	return text_printf("%s%s", message, body);
}
