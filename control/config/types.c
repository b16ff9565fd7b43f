/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The scalar types of the schema: how each is written, and its range. See schema.h.
 */
#include "config/schema.h"
#include "byepass/names.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* Index of the word, or -1. */
static int
word_index(const struct bp_schema_row *row, const char *text)
{
	for (int i = 0; row->words != NULL && row->words[i] != NULL; i++) {
		if (strcmp(row->words[i], text) == 0)
			return i;
	}
	return -1;
}

static void
store(const struct bp_schema_row *row, uint64_t value, void *out)
{
	switch (row->size) {
	case 1:
		*(uint8_t *)out = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)out = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)out = (uint32_t)value;
		break;
	default:
		*(uint64_t *)out = value;
		break;
	}
}

/* Copies @text as it is, when it is printable ASCII and within the row's bounds. */
static const char *
copy_text(const struct bp_schema_row *row, const char *text, void *out)
{
	size_t size = strlen(text);

	if (size < row->min || size > row->max || size >= row->size)
		return "";
	for (size_t i = 0; i < size; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return "it has a character that is not printable ASCII";
	}
	memcpy(out, text, size + 1);
	return NULL;
}

static const char *
parse_number(const struct bp_schema_row *row, const char *text, void *out)
{
	uint64_t value = 0;

	if (word_index(row, text) == 0) {
		store(row, 0, out);
		return NULL;
	}
	if (!bp_unit_number(text, &value) || value < row->min || value > row->max)
		return "";
	store(row, value, out);
	return NULL;
}

static void
range_number(const struct bp_schema_row *row, char *out, size_t size)
{
	snprintf(out, size, "from %" PRIu64 " to %" PRIu64, row->min, row->max);
}

static const char *
parse_duration(const struct bp_schema_row *row, const char *text, void *out)
{
	uint64_t us = 0, number;

	if (word_index(row, text) == 0) {
		store(row, 0, out);
		return NULL;
	}
	if (bp_unit_number(text, &number))
		return "the unit is missing: us, ms, s, m, h or d";
	if (!bp_unit_duration(text, &us) || us < row->min || us > row->max)
		return "";
	store(row, us, out);
	return NULL;
}

static void
range_duration(const struct bp_schema_row *row, char *out, size_t size)
{
	char min[32], max[32];

	snprintf(out, size, "from %s to %s", bp_unit_duration_text(row->min, min, sizeof(min)),
		bp_unit_duration_text(row->max, max, sizeof(max)));
}

/* A duration, or one of the words, which stand for their index. */
static const char *
parse_flush(const struct bp_schema_row *row, const char *text, void *out)
{
	int index = word_index(row, text);

	if (index < 0)
		return parse_duration(row, text, out);
	store(row, (uint64_t)index, out);
	return NULL;
}

static const char *
parse_word(const struct bp_schema_row *row, const char *text, void *out)
{
	int index = word_index(row, text);

	if (index < 0)
		return "";
	memcpy(out, &index, sizeof(index));
	return NULL;
}

static void
range_word(const struct bp_schema_row *row, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; row->words[i] != NULL && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s",
			i == 0                      ? ""
			: row->words[i + 1] == NULL ? " or "
						    : ", ",
			row->words[i]);
}

static const char *
parse_name(const struct bp_schema_row *row, const char *text, void *out)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL)
			return "";
	}
	return copy_text(row, text, out);
}

static void
range_name(const struct bp_schema_row *row, char *out, size_t size)
{
	snprintf(out, size, "of %" PRIu64 " to %" PRIu64 " letters, digits and . _ -", row->min, row->max);
}

static const char *
parse_text(const struct bp_schema_row *row, const char *text, void *out)
{
	if (word_index(row, text) == 0) {
		*(char *)out = '\0';
		return NULL;
	}
	return copy_text(row, text, out);
}

static void
range_text(const struct bp_schema_row *row, char *out, size_t size)
{
	snprintf(out, size, "of %" PRIu64 " to %" PRIu64 " bytes", row->min, row->max);
}

/* A key whose time has not come: only its word is good. */
static const char *
parse_later(const struct bp_schema_row *row, const char *text, void *out)
{
	if (word_index(row, text) != 0)
		return "nothing else is supported yet";
	*(char *)out = '\0';
	return NULL;
}

static const char *
parse_device(const struct bp_schema_row *row, const char *text, void *out)
{
	if (strpbrk(text, " \t'\"") != NULL)
		return "it has a space or a quote";
	return copy_text(row, text, out);
}

static const char *
parse_ip(const struct bp_schema_row *row, const char *text, void *out)
{
	struct bp_endpoint endpoint = {0};

	if (!bp_unit_ip(text, &endpoint.ip, &endpoint.family))
		return "";
	memcpy(out, &endpoint, sizeof(endpoint));
	return NULL;
}

static const char *
parse_prefix(const struct bp_schema_row *row, const char *text, void *out)
{
	struct bp_prefix prefix;
	struct bp_endpoint bare;

	if (bp_unit_ip(text, &bare.ip, &bare.family))
		return "the prefix length is missing";
	if (!bp_unit_prefix(text, &prefix))
		return "";
	memcpy(out, &prefix, sizeof(prefix));
	return NULL;
}

static const char *
parse_listen(const struct bp_schema_row *row, const char *text, void *out)
{
	uint64_t port;

	if (strncmp(text, "tcp:", 4) == 0 || strncmp(text, "tls:", 4) == 0)
		return "tcp and tls are not supported yet";
	if (strncmp(text, "udp:", 4) != 0 || !bp_unit_number(text + 4, &port) || port < row->min ||
		port > row->max)
		return "";
	store(row, port, out);
	return NULL;
}

static void
range_listen(const struct bp_schema_row *row, char *out, size_t size)
{
	snprintf(out, size, "udp:PORT, PORT from %" PRIu64 " to %" PRIu64, row->min, row->max);
}

static const char *
parse_name_server(const struct bp_schema_row *row, const char *text, void *out)
{
	struct bp_endpoint endpoint = {0};
	int index = word_index(row, text);

	if (index >= 0)
		endpoint.port = (uint16_t)index;
	else if (!bp_unit_endpoint(text, 53, &endpoint))
		return "";
	memcpy(out, &endpoint, sizeof(endpoint));
	return NULL;
}

static const char *
parse_http(const struct bp_schema_row *row, const char *text, void *out)
{
	struct bp_endpoint endpoint;

	if (word_index(row, text) == 0)
		return parse_text(row, text, out);
	if (!bp_unit_endpoint(text, 0, &endpoint))
		return "";
	return copy_text(row, text, out);
}

/* The host of a SIP URI as a name, with a port or without. False: it is none. */
static bool
parse_name_target(const char *text, struct bp_uri_value *value)
{
	size_t size = strcspn(text, ":");
	struct bp_name_key key;
	bool letter = false;
	uint64_t port = 0;

	for (size_t i = 0; i < size; i++)
		letter |= isalpha((unsigned char)text[i]) != 0;
	if (!letter || !bp_name_key_make(&key, text, size, 0))
		return false;
	if (text[size] == ':' && (!bp_unit_number(text + size + 1, &port) || port == 0 || port > UINT16_MAX))
		return false;
	value->endpoint = (struct bp_endpoint){.port = (uint16_t)port};
	value->host_size = (uint16_t)size;
	return true;
}

static const char *
parse_uri(const struct bp_schema_row *row, const char *text, void *out)
{
	struct bp_uri_value value = {0};

	if (strncasecmp(text, "sips:", 5) == 0)
		return "sips needs tls, which is not supported yet";
	if (strncasecmp(text, "sip:", 4) != 0 || strlen(text) >= sizeof(value.text))
		return "";
	if (strchr(text, '@') != NULL)
		return "a target has no user part";
	if (strpbrk(text, ";?") != NULL)
		return "parameters and headers are not supported yet";
	if (!bp_unit_endpoint(text + 4, 5060, &value.endpoint) && !parse_name_target(text + 4, &value))
		return "";
	memcpy(value.text, text, strlen(text));
	memcpy(out, &value, sizeof(value));
	return NULL;
}

static const char *
parse_domain(const struct bp_schema_row *row, const char *text, void *out)
{
	char *p = out;
	const char *remark;

	for (const char *c = text; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr(".-_:[]", *c) == NULL)
			return "";
	}
	remark = copy_text(row, text, out);
	for (; remark == NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return remark;
}

const struct bp_schema_type bp_type_number = {"number", NULL, parse_number, range_number};
const struct bp_schema_type bp_type_duration = {
	"duration", "500ms, 4s or 3m", parse_duration, range_duration};
const struct bp_schema_type bp_type_flush = {"duration", "500ms, 4s or 3m", parse_flush, range_duration};
const struct bp_schema_type bp_type_word = {"word:", NULL, parse_word, range_word};
const struct bp_schema_type bp_type_later = {"word:", NULL, parse_later, range_word};
const struct bp_schema_type bp_type_name = {"name", NULL, parse_name, range_name};
const struct bp_schema_type bp_type_text = {"text", NULL, parse_text, range_text};
const struct bp_schema_type bp_type_path = {"path", NULL, parse_text, range_text};
const struct bp_schema_type bp_type_device = {"DPDK device", "net_tap0,iface=byp0", parse_device, range_text};
const struct bp_schema_type bp_type_ip = {"IP address", "192.0.2.254 or 2001:db8::fe", parse_ip, NULL};
const struct bp_schema_type bp_type_prefix = {
	"IP address with prefix length", "192.0.2.1/24 or 2001:db8::1/64", parse_prefix, NULL};
const struct bp_schema_type bp_type_listen = {"listener", NULL, parse_listen, range_listen};
const struct bp_schema_type bp_type_http = {
	"IP address with port", "127.0.0.1:9060 or [::1]:9060", parse_http, NULL};
const struct bp_schema_type bp_type_uri = {
	"SIP URI", "sip:10.0.0.2:5060, sip:[2001:db8::2] or sip:proxy.example.com", parse_uri, NULL};
const struct bp_schema_type bp_type_name_server = {
	"IP address", "192.0.2.53 or [2001:db8::53]:53", parse_name_server, NULL};
const struct bp_schema_type bp_type_domain = {
	"host name or address", "example.com", parse_domain, range_text};
