/* SPDX-License-Identifier: BSD-3-Clause
 *
 * parse(edit(message)) equals edit applied to parse(message), on random messages: what
 * is read from the edited bytes is compared with a model that was read from the original and edited
 * by much simpler means. And what is read from a message is what it was written from.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#define ELEMENTS 16
#define LINES 24
#define TEXT 160

enum list { VIA, ROUTE, RECORD_ROUTE, LISTS };

static const enum bp_sip_header_id list_ids[LISTS] = {BP_SIP_VIA, BP_SIP_ROUTE, BP_SIP_RECORD_ROUTE};
static const char *const list_names[LISTS][2] = {{"Via", "v"}, {"Route", "rOUTE"}, {"Record-Route", "record-route"}};

struct model {
	bool response;
	char first[TEXT];  /* Request-URI, or reason */
	struct {
		unsigned count;
		char element[ELEMENTS][TEXT];
	} lists[LISTS];
	unsigned lines; /* all other headers, in their order */
	struct {
		uint8_t id;
		char name[TEXT];
		char value[TEXT];
	} line[LINES];
	char body[64];
	unsigned pushed; /* lines that edits put behind the start line */
};

static uint64_t seed;

static unsigned
below(unsigned limit)
{
	return random_below(&seed, limit);
}

/* writing random messages */

struct text {
	char bytes[16384];
	size_t size;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->size += (size_t)vsnprintf(text->bytes + text->size, sizeof(text->bytes) - text->size, format, arguments);
	va_end(arguments);
	assert_true(text->size < sizeof(text->bytes));
}

static const char *
white(void)
{
	static const char *const some[] = {"", "", " ", " ", "  ", "\t", "\r\n ", " \r\n\t "};

	return some[below(8)];
}

static void
random_element(char *out, enum list list)
{
	static const char *const hosts[] = {"a.example", "[2001:db8::1]:5070", "192.0.2.77:5080", "b"};

	if (list == VIA)
		snprintf(out, TEXT, "SIP/2.0/%s %s;branch=z9hG4bK%u%s", below(2) ? "UDP" : "TCP", hosts[below(4)],
			below(100000), below(2) ? ";rport" : "");
	else
		snprintf(out, TEXT, "%s<sip:%s;lr;x=%u%s>%s", below(3) ? "" : "\"q, \\\"z\" ", hosts[below(4)],
			below(100000), below(3) ? "" : ",y", below(3) ? "" : ";p=\"1,2\"");
}

static void
add_line(struct model *model, const char *name, uint8_t id, const char *value)
{
	snprintf(model->line[model->lines].name, sizeof(model->line[0].name), "%s", name);
	snprintf(model->line[model->lines].value, TEXT, "%s", value);
	model->line[model->lines++].id = id;
}

static void
random_model(struct model *model)
{
	char number[16];

	memset(model, 0, sizeof(*model));
	model->response = below(4) == 0;
	snprintf(model->first, TEXT, "%s", model->response ? "Fine, \xc3\xa4" : "sip:bob@biloxi.com;user=phone");
	for (unsigned i = 0; i < LISTS; i++) {
		model->lists[i].count = i == VIA ? 1 + below(5) : below(6);
		for (unsigned k = 0; k < model->lists[i].count; k++)
			random_element(model->lists[i].element[k], i);
	}
	for (unsigned i = below(40); i; i /= 2)
		model->body[strlen(model->body)] = "body\r\n:"[below(7)];
	add_line(model, "From", BP_SIP_FROM, "\"A, B\" <sip:a@b;c>;tag=1");
	add_line(model, "t", BP_SIP_TO, "<sip:c@d>");
	add_line(model, "Call-ID", BP_SIP_CALL_ID, "x@y");
	add_line(model, "cSEQ", BP_SIP_CSEQ, "9 INVITE");
	if (below(2))
		add_line(model, "Max-Forwards", BP_SIP_MAX_FORWARDS, "30");
	if (below(2))
		add_line(model, "Expires", BP_SIP_EXPIRES, "60");
	for (unsigned i = below(3); i; i--)
		add_line(model, below(2) ? "k" : "Supported", BP_SIP_SUPPORTED, below(2) ? "a, b" : "");
	for (unsigned i = below(4); i; i--)
		add_line(model, "Anything", BP_SIP_OTHER, "x:y z, ;\"");
	if (below(2) || strlen(model->body) == 0) {
		snprintf(number, sizeof(number), "%zu", strlen(model->body));
		add_line(model, "l", BP_SIP_CONTENT_LENGTH, number);
	}
	for (unsigned i = model->lines - 1; i > 0; i--) {
		unsigned k = below(i + 1);
		__typeof__(model->line[0]) swap = model->line[i];

		model->line[i] = model->line[k];
		model->line[k] = swap;
	}
}

/* Each list from its element *at on, as far as one line goes. */
static void
write_list_line(struct text *text, const struct model *model, enum list list, unsigned *at)
{
	unsigned count = model->lists[list].count;

	add(text, "%s%s:%s", list_names[list][below(2)], below(4) ? "" : " ", white());
	for (;;) {
		add(text, "%s%s", model->lists[list].element[*at], white());
		if (++*at == count || below(2))
			break;
		add(text, ",%s", white());
	}
	add(text, "\r\n");
}

static void
write_message(struct text *text, const struct model *model)
{
	unsigned at[LISTS] = {0}, line = 0;

	text->size = 0;
	if (model->response)
		add(text, "SIP/2.0 200 %s\r\n", model->first);
	else
		add(text, "INVITE %s SIP/2.0\r\n", model->first);
	for (;;) {
		unsigned which = below(LISTS + 2);

		if (which < LISTS && at[which] < model->lists[which].count) {
			write_list_line(text, model, which, &at[which]);
		} else if (line < model->lines) {
			add(text, "%s:%s%s%s\r\n", model->line[line].name, white(), model->line[line].value, white());
			line++;
		} else if (at[VIA] == model->lists[VIA].count && at[ROUTE] == model->lists[ROUTE].count &&
			   at[RECORD_ROUTE] == model->lists[RECORD_ROUTE].count) {
			break;
		}
	}
	add(text, "\r\n%s", model->body);
	if (below(2)) { /* only where a Content-Length says what is not the body */
		for (unsigned i = 0; i < model->lines; i++) {
			if (model->line[i].id == BP_SIP_CONTENT_LENGTH) {
				add(text, "junk behind");
				break;
			}
		}
	}
}

/* reading them */

static void
take(char *out, const struct bp_sip_message *m, struct bp_span span)
{
	assert_true(span.size < TEXT);
	memcpy(out, bp_sip_at(m, span), span.size);
	out[span.size] = 0;
}

static void
read_model(struct model *model, const struct bp_sip_message *m)
{
	memset(model, 0, sizeof(*model));
	model->response = m->status != 0;
	take(model->first, m, m->status ? m->reason : m->uri);
	for (unsigned i = 0; i < LISTS; i++) {
		struct bp_sip_walk walk = {.started = false};

		while (bp_sip_walk_next(m, list_ids[i], &walk))
			take(model->lists[i].element[model->lists[i].count++], m, walk.element);
	}
	for (unsigned i = 0; i < m->header_count; i++) {
		const struct bp_sip_header *header = &m->headers[i];
		char name[TEXT], value[TEXT];

		if (header->id == BP_SIP_VIA || header->id == BP_SIP_ROUTE || header->id == BP_SIP_RECORD_ROUTE)
			continue;
		take(name, m, header->name);
		take(value, m, header->value);
		add_line(model, name, header->id, value);
	}
	memcpy(model->body, bp_sip_at(m, m->body), m->body.size);
}

static void
assert_same(const struct model *a, const struct model *b, const struct text *original)
{
	const char *what = NULL;

	if (a->response != b->response || strcmp(a->first, b->first) != 0)
		what = "start line";
	for (unsigned i = 0; i < LISTS; i++) {
		if (a->lists[i].count != b->lists[i].count)
			what = list_names[i][0];
		for (unsigned k = 0; what == NULL && k < a->lists[i].count; k++) {
			if (strcmp(a->lists[i].element[k], b->lists[i].element[k]) != 0)
				what = list_names[i][0];
		}
	}
	if (a->lines != b->lines)
		what = "number of lines";
	for (unsigned i = 0; what == NULL && i < a->lines; i++) {
		if (strcmp(a->line[i].name, b->line[i].name) != 0 || strcmp(a->line[i].value, b->line[i].value) != 0)
			what = a->line[i].name;
	}
	if (strcmp(a->body, b->body) != 0)
		what = "body";
	if (what)
		fail_msg("%s differs; the original was:\n%.*s", what, (int)original->size, original->bytes);
}

/* editing, twice: the model by simple means, the message by the editor */

static void
model_insert(struct model *model, enum list list, unsigned at, const char *element)
{
	unsigned count = model->lists[list].count++;

	memmove(model->lists[list].element[at + 1], model->lists[list].element[at], (count - at) * TEXT);
	snprintf(model->lists[list].element[at], TEXT, "%s", element);
}

static void
model_remove(struct model *model, enum list list, unsigned at)
{
	unsigned count = --model->lists[list].count;

	memmove(model->lists[list].element[at], model->lists[list].element[at + 1], (count - at) * TEXT);
}

static void
model_set(struct model *model, uint8_t id, const char *name, const char *value)
{
	for (unsigned i = model->pushed; i < model->lines; i++) {
		if (model->line[i].id == id) {
			snprintf(model->line[i].value, TEXT, "%s", value);
			return;
		}
	}
	memmove(&model->line[model->pushed + 1], &model->line[model->pushed],
		(model->lines - model->pushed) * sizeof(model->line[0]));
	model->line[model->pushed].id = id;
	snprintf(model->line[model->pushed].name, sizeof(model->line[0].name), "%s", name);
	snprintf(model->line[model->pushed].value, TEXT, "%s", value);
	model->pushed++;
	model->lines++;
}

static void
edit_vias(struct model *model, struct bp_edits *edits)
{
	static const char via[] = "Via: SIP/2.0/UDP us;branch=z9hG4bKus";
	static const uint8_t v4[4] = {203, 0, 113, 5};
	struct bp_ip ip = bp_ip_from_v4(v4);

	switch (below(4)) {
	case 0:
		model_remove(model, VIA, 0);
		bp_edit_pop_via(edits);
		break;
	case 1: {
		char *top = model->lists[VIA].element[0], *rport = strstr(top, ";rport");

		snprintf(rport ? rport : top + strlen(top), 40, "%s;received=203.0.113.5", rport ? ";rport=777" : "");
		bp_edit_via_received(edits, &ip, 777);
		break;
	}
	default:
		break;
	}
	if (below(2)) {
		model_insert(model, VIA, 0, via + 5);
		bp_edit_push_header(edits, BP_SIP_VIA, via, sizeof(via) - 1);
	}
}

static void
edit_routes(struct model *model, struct bp_edits *edits)
{
	static const char route[] = "Record-Route: <sip:us;lr>";
	unsigned pops = below(4), count = model->lists[ROUTE].count;

	if (below(2)) {
		model_insert(model, RECORD_ROUTE, 0, route + 14);
		bp_edit_push_header(edits, BP_SIP_RECORD_ROUTE, route, sizeof(route) - 1);
	}
	/* the last one may go too, if it is in a line of its own or the first ones leave it one before it */
	if (count >= pops + 2 && below(2)) {
		model_remove(model, ROUTE, count - 1);
		bp_edit_pop_last_route(edits);
	}
	bp_edit_pop_routes(edits, pops);
	while (pops-- && model->lists[ROUTE].count)
		model_remove(model, ROUTE, 0);
	if (below(2)) {
		model_insert(model, ROUTE, model->lists[ROUTE].count, "<sip:strict@x>");
		bp_edit_append_route(edits, "sip:strict@x", 12);
	}
}

static void
edit_others(struct model *model, struct bp_edits *edits)
{
	if (below(2) && !model->response) {
		snprintf(model->first, TEXT, "sip:elsewhere");
		bp_edit_request_uri(edits, "sip:elsewhere", 13);
	}
	if (below(2)) {
		model_set(model, BP_SIP_MAX_FORWARDS, "Max-Forwards", "29");
		bp_edit_max_forwards(edits, 29);
	}
	if (below(2)) {
		model_set(model, BP_SIP_EXPIRES, "Expires", "3600");
		bp_edit_replace_header(edits, BP_SIP_EXPIRES, "3600", 4);
	}
	if (below(2)) {
		unsigned kept = 0;

		for (unsigned i = 0; i < model->lines; i++) {
			if (model->line[i].id != BP_SIP_SUPPORTED)
				model->line[kept++] = model->line[i];
		}
		model->lines = kept;
		bp_edit_delete_header(edits, BP_SIP_SUPPORTED);
	}
	if (below(2)) {
		snprintf(model->body, sizeof(model->body), "new");
		model_set(model, BP_SIP_CONTENT_LENGTH, "Content-Length", "3");
		bp_edit_body(edits, (const uint8_t *)"new", 3);
	}
}

static void
property(void **state)
{
	static struct text text;
	static struct bp_sip_message m, edited;
	static struct model written, model, again;
	static struct bp_edits edits;
	uint8_t out[16384];

	for (unsigned round = 0; round < 20000; round++) {
		enum bp_sip_fault fault;
		uint32_t size;

		seed = 0x9e3779b97f4a7c15 * (round + 1);
		random_model(&written);
		write_message(&text, &written);
		fault = parse_bytes(&m, text.bytes, text.size);
		if (fault)
			fail_msg("round %u: \"%s\" at %u in\n%.*s", round, bp_sip_fault_text(fault), m.fault_offset,
				(int)text.size, text.bytes);
		read_model(&model, &m);
		assert_same(&written, &model, &text);
		bp_edits_begin(&edits, &m);
		edit_vias(&model, &edits);
		edit_routes(&model, &edits);
		edit_others(&model, &edits);
		size = bp_edits_apply(&edits, out, sizeof(out));
		if (size == 0)
			fail_msg("round %u: edits refused on\n%.*s", round, (int)text.size, text.bytes);
		fault = bp_sip_parse(&edited, out, size, &wide_limits);
		if (fault && !(fault == BP_SIP_FAULT_NO_VIA && model.lists[VIA].count == 0))
			fail_msg("round %u: \"%s\" at %u in\n%.*s", round, bp_sip_fault_text(fault), edited.fault_offset,
				(int)size, out);
		read_model(&again, &edited);
		assert_same(&again, &model, &text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(property),
	};

	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
