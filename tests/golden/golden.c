/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Golden tests: NAME.sip goes in; what the parser makes of it, and what the editor
 * makes of that, is compared with NAME.view. `golden --update FOLDER` writes the views anew: read the difference
 * before it is committed.
 */
#include "escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sip/edit.h"
#include "sip/uri.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES_MAX 256
#define MESSAGE_MAX 65536

static const struct bp_sip_limits limits = {.headers = 64, .vias = 40, .uri = 1024};
static const char *folder;
static char *names[FILES_MAX];

static const char *const fault_names[] = {
#define X(name, status, text) #name,
	BP_SIP_FAULTS(X)
#undef X
};

static const char *const header_names[] = {
	"OTHER",
#define X(id, name, compact) #id,
	BP_SIP_HEADERS(X)
#undef X
};

/* The bytes, made visible; each CRLF is a new line, so is an LF, which shows as such. */
static void
print_bytes(FILE *to, const uint8_t *p, size_t size, bool one_line)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] == '\r' && i + 1 < size && p[i + 1] == '\n' && !one_line) {
			fputc('\n', to);
			i++;
		} else if (p[i] == '\r') {
			fputs("\\r", to);
		} else if (p[i] == '\n') {
			fputs("\\n", to);
		} else if (p[i] == '\\') {
			fputs("\\\\", to);
		} else if (p[i] < 0x20 || p[i] > 0x7e) {
			fprintf(to, "\\x%02x", p[i]);
		} else {
			fputc(p[i], to);
		}
	}
}

static void
print_span(FILE *to, const struct bp_sip_message *m, const char *name, struct bp_span span)
{
	if (span.size == 0)
		return;
	fprintf(to, " %s=[", name);
	print_bytes(to, m->bytes + span.offset, span.size, true);
	fputc(']', to);
}

static void
print_start(FILE *to, const struct bp_sip_message *m)
{
	static const char *const schemes[] = {"other", "sip", "sips", "tel"};
	const struct bp_sip_uri *uri = &m->target;

	fprintf(to, "fault: %s", fault_names[m->fault]);
	if (m->fault)
		fprintf(to, " at %u, %u%s", m->fault_offset, bp_sip_fault_status(m->fault),
			bp_sip_answerable(m) ? "" : ", not to be answered");
	fprintf(to, "\nsize: %u, headers at %u, body at %u\n", m->size, m->headers_offset, m->body_offset);
	if (m->status) {
		fprintf(to, "response: %u to %s", m->status, bp_sip_method_name(m->method));
		print_span(to, m, "reason", m->reason);
	} else {
		fprintf(to, "request: %s", bp_sip_method_name(m->method));
		print_span(to, m, "method", m->method_text);
		print_span(to, m, "uri", m->uri);
	}
	fputc('\n', to);
	if (uri->whole.size == 0)
		return;
	fprintf(to, "target: %s", schemes[uri->scheme]);
	print_span(to, m, "user", uri->user);
	print_span(to, m, "host", uri->host);
	if (uri->port)
		fprintf(to, " port=%u", uri->port);
	print_span(to, m, "params", uri->params);
	print_span(to, m, "headers", uri->headers);
	print_span(to, m, "maddr", uri->maddr);
	fprintf(to, "%s\n", uri->loose ? " loose" : "");
}

static void
print_via(FILE *to, const struct bp_sip_message *m, const struct bp_sip_via *via)
{
	static const char *const transports[] = {"UDP", "TCP", "TLS", "another"};

	fprintf(to, "via: %s", transports[via->transport]);
	print_span(to, m, "host", via->host);
	if (via->port)
		fprintf(to, " port=%u", via->port);
	print_span(to, m, "branch", via->branch);
	print_span(to, m, "received", via->received);
	print_span(to, m, "rport", via->rport);
	print_span(to, m, "maddr", via->maddr);
	fprintf(to, "%s%s%s\n", via->rport_at ? " rport" : "", via->magic ? " magic" : "", via->last ? " last" : "");
}

static void
print_address(FILE *to, const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	struct bp_sip_walk walk = {.started = false};
	struct bp_sip_address address;

	while (bp_sip_walk_next(m, id, &walk)) {
		fprintf(to, "%s:", header_names[id]);
		if (!bp_sip_address_cut(m->bytes, walk.element, &address)) {
			print_span(to, m, "malformed", walk.element);
		} else {
			print_span(to, m, "display", address.display);
			print_span(to, m, "uri", address.uri);
			print_span(to, m, "params", address.params);
			print_span(to, m, "tag", address.tag);
		}
		fputc('\n', to);
	}
}

static void
print_view(FILE *to, const struct bp_sip_message *m)
{
	print_start(to, m);
	if (m->fault == BP_SIP_FAULT_EMPTY)
		return;
	print_via(to, m, &m->via);
	fprintf(to, "fields: cseq=%u max_forwards=%d", m->cseq, m->max_forwards);
	print_span(to, m, "cseq_method", m->cseq_method);
	print_span(to, m, "call_id", m->call_id);
	print_span(to, m, "from_tag", m->from_tag);
	print_span(to, m, "to_tag", m->to_tag);
	fputc('\n', to);
	for (unsigned i = 0; i < m->header_count; i++) {
		fprintf(to, "header: %s", header_names[m->headers[i].id]);
		print_span(to, m, "name", m->headers[i].name);
		print_span(to, m, "value", m->headers[i].value);
		fputc('\n', to);
	}
	print_address(to, m, BP_SIP_ROUTE);
	print_address(to, m, BP_SIP_CONTACT);
	fprintf(to, "body: %u\n", m->body.size);
}

/* What a proxy at 192.0.2.250 would send on; or its answer. */
static void
print_result(FILE *to, const struct bp_sip_message *m)
{
	static uint8_t out[2 * MESSAGE_MAX];
	static struct bp_edits edits;
	static const uint8_t address[4] = {198, 51, 100, 7};
	struct bp_flow from = {.ip = bp_ip_from_v4(address), .port = 5071};
	uint32_t size = 0;

	if (m->fault && !(bp_sip_answerable(m) && bp_sip_fault_status(m->fault)))
		return;
	if (m->fault) {
		size = bp_build_response(m, bp_sip_fault_status(m->fault), bp_sip_fault_text(m->fault), &from, "golden",
			NULL, out, sizeof(out));
	} else {
		bp_edits_begin(&edits, m);
		if (m->status) {
			bp_edit_pop_via(&edits);
		} else {
			static const char via[] = "Via: SIP/2.0/UDP 192.0.2.250;branch=z9hG4bKgolden";
			static const char rr[] = "Record-Route: <sip:192.0.2.250;lr>";

			bp_edit_push_header(&edits, BP_SIP_VIA, via, sizeof(via) - 1);
			bp_edit_push_header(&edits, BP_SIP_RECORD_ROUTE, rr, sizeof(rr) - 1);
			bp_edit_via_received(&edits, &from.ip, from.port);
			bp_edit_pop_routes(&edits, 1);
			bp_edit_max_forwards(&edits, (uint8_t)(m->max_forwards > 0 ? m->max_forwards - 1 : 70));
		}
		size = bp_edits_apply(&edits, out, sizeof(out));
	}
	fprintf(to, "--- %s\n", m->fault ? "answered" : "forwarded");
	print_bytes(to, out, size, false);
}

static uint8_t *
read_whole(const char *name, const char *suffix, size_t *size)
{
	uint8_t *bytes = malloc(2 * MESSAGE_MAX);
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	file = fopen(path, "rb");
	*size = 0;
	if (file) {
		*size = fread(bytes, 1, MESSAGE_MAX, file);
		fclose(file);
	}
	bytes[*size] = 0;
	return bytes;
}

static char *
view_of(const char *name)
{
	static struct bp_sip_message m;
	size_t size, view_size;
	uint8_t *text = read_whole(name, ".sip", &size), *bytes;
	FILE *to;
	char *view = NULL;

	size = golden_unescape(text, size);
	bytes = malloc(size ? size : 1);
	memcpy(bytes, text, size);
	bp_sip_parse(&m, bytes, (uint32_t)size, &limits);
	to = open_memstream(&view, &view_size);
	print_view(to, &m);
	print_result(to, &m);
	fclose(to);
	free(text);
	free(bytes);
	return view;
}

/* The first line that differs. */
static void
report(const char *name, const char *got, const char *expected)
{
	unsigned line = 1;
	const char *begin = got, *other = expected;

	for (; *got && *got == *expected; got++, expected++) {
		if (*got == '\n') {
			line++;
			begin = got + 1;
			other = expected + 1;
		}
	}
	print_error("%s.view:%u\n  expected: %.*s\n  got:      %.*s\n", name, line, (int)strcspn(other, "\n"), other,
		(int)strcspn(begin, "\n"), begin);
}

static void
golden(void **state)
{
	size_t size;
	char *got = view_of(*state), *expected = (char *)read_whole(*state, ".view", &size);
	bool same = strcmp(got, expected) == 0;

	if (!same)
		report(*state, got, expected);
	free(got);
	free(expected);
	assert_true(same);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned
list_names(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) && count < FILES_MAX) {
		size_t size = strlen(entry->d_name);

		if (size > 4 && strcmp(entry->d_name + size - 4, ".sip") == 0)
			names[count++] = strndup(entry->d_name, size - 4);
	}
	closedir(dir);
	qsort(names, count, sizeof(names[0]), compare);
	return count;
}

static int
update(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char path[512], *view = view_of(names[i]);
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s.view", folder, names[i]);
		file = fopen(path, "wb");
		if (file == NULL) {
			perror(path);
			return 1;
		}
		fputs(view, file);
		fclose(file);
		free(view);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[FILES_MAX];
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0;
	unsigned count;
	int failed;

	folder = updating ? argv[2] : getenv("BYEPASS_GOLDEN");
	if (folder == NULL)
		folder = ".";
	count = list_names();
	if (count == 0) {
		fprintf(stderr, "no messages in %s\n", folder);
		return 1;
	}
	if (updating)
		return update(count);
	for (unsigned i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){names[i], golden, NULL, NULL, names[i]};
	failed = _cmocka_run_group_tests("golden", tests, count, NULL, NULL);
	for (unsigned i = 0; i < count; i++)
		free(names[i]);
	return failed;
}
