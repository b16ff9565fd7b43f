/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layout and drawing of ladders, see ladder.h.
 */
#include "trace/ladder.h"
#include "config/units.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define COLUMNS_MAX 16
#define TIME_WIDTH 7
#define GAP_MIN 14
#define GAP_MAX 40
#define CANVAS 1024
#define EDGE "byepass"

struct column {
	struct bp_ip ip;
	uint16_t port;
	bool right;
	unsigned x;
	char label[BP_ENDPOINT_TEXT_SIZE];
	char realm[BP_CONFIG_NAME_SIZE];
};

struct ladder {
	const struct bp_event_message *events;
	unsigned count;
	const struct bp_config *config;
	struct column columns[COLUMNS_MAX]; /* left ones, the edge, right ones */
	unsigned column_count;
	unsigned edge; /* index of the edge's column */
	unsigned note; /* where CSeq stands */
	char canvas[CANVAS];
};

const char *
bp_trace_clean(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++)
		out[n++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	out[n] = '\0';
	return out;
}

const char *
bp_trace_method(unsigned method)
{
	static const char *const names[] = {
#define X(token) #token,
		BP_METHODS(X)
#undef X
	};

	return method < BP_METHOD_COUNT ? names[method] : names[BP_METHOD_OTHER];
}

bool
bp_trace_is_repeated(const struct bp_event_message *events, unsigned index)
{
	const struct bp_event_message *me = &events[index];

	for (unsigned i = 0; i < index; i++) {
		const struct bp_event_message *other = &events[i];

		if (me->cseq == other->cseq && me->method == other->method && me->status == other->status &&
			me->direction == other->direction && bp_flow_equal(&me->flow, &other->flow) &&
			strcmp(me->start_line, other->start_line) == 0)
			return true;
	}
	return false;
}

const char *
bp_trace_label(const struct bp_event_message *event, char *out, size_t size)
{
	const char *line = event->start_line;

	if (event->status == 0) {
		bp_trace_clean(line, out, size);
		out[strcspn(out, " ")] = '\0';
		if (out[0] == '\0')
			snprintf(out, size, "%s", bp_trace_method(event->method));
	} else if (strncmp(line, "SIP/2.0 ", 8) == 0) {
		bp_trace_clean(line + 8, out, size);
	} else {
		snprintf(out, size, "%u", event->status);
	}
	return out;
}

static const struct bp_config_realm *
realm_of(const struct bp_config *config, const struct bp_flow *flow)
{
	return flow->listener < config->listener_count
		       ? &config->realms[config->listeners[flow->listener].realm]
		       : NULL;
}

static bool
is_column(const struct column *column, const struct bp_flow *flow)
{
	return column->port == flow->port && bp_ip_equal(&column->ip, &flow->ip);
}

/* One column for every far end, in order of appearance, and the edge between the sides. */
static void
find_columns(struct ladder *l)
{
	struct column found[COLUMNS_MAX - 1];
	unsigned count = 0, right = 0;

	memset(found, 0, sizeof(found));
	for (unsigned i = 0; i < l->count && count < COLUMNS_MAX - 1; i++) {
		const struct bp_flow *flow = &l->events[i].flow;
		const struct bp_config_realm *realm = realm_of(l->config, flow);
		unsigned k = 0;

		while (k < count && !is_column(&found[k], flow))
			k++;
		if (k < count)
			continue;
		found[count].ip = flow->ip;
		found[count].port = flow->port;
		found[count].right = realm != NULL && realm->trust == BP_TRUST_TRUSTED;
		right += found[count].right;
		bp_unit_endpoint_text(&flow->ip, flow->port, found[count].label, sizeof(found[count].label));
		snprintf(found[count].realm, sizeof(found[count].realm), "%s",
			realm != NULL ? realm->name : "");
		count++;
	}
	if (right == 0 || right == count) { /* one trust for all: the caller goes left */
		for (unsigned i = 0; i < count; i++)
			found[i].right = i > 0;
	}
	l->column_count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!found[i].right)
			l->columns[l->column_count++] = found[i];
	}
	l->edge = l->column_count;
	memset(&l->columns[l->edge], 0, sizeof(l->columns[0]));
	snprintf(l->columns[l->column_count++].label, sizeof(l->columns[0].label), EDGE);
	for (unsigned i = 0; i < count; i++) {
		if (found[i].right)
			l->columns[l->column_count++] = found[i];
	}
}

static unsigned
find_column(const struct ladder *l, const struct bp_flow *flow)
{
	for (unsigned i = 0; i < l->column_count; i++) {
		if (i != l->edge && is_column(&l->columns[i], flow))
			return i;
	}
	return COLUMNS_MAX;
}

/* "1 INVITE", with a star when it was seen before. */
static const char *
note_of(const struct ladder *l, unsigned index, char *out, size_t size)
{
	snprintf(out, size, "%" PRIu32 " %s%s", l->events[index].cseq,
		bp_trace_method(l->events[index].method), bp_trace_is_repeated(l->events, index) ? "*" : "");
	return out;
}

/* Spreads the columns over @width, leaving room for the time and the notes. */
static void
place_columns(struct ladder *l, unsigned width)
{
	unsigned note = 0, first = TIME_WIDTH + (unsigned)strlen(l->columns[0].label) / 2;
	unsigned last = (unsigned)strlen(l->columns[l->column_count - 1].label) / 2;
	unsigned gaps = l->column_count - 1, gap = GAP_MAX;
	char text[64];

	for (unsigned i = 0; i < l->count; i++) {
		unsigned size = (unsigned)strlen(note_of(l, i, text, sizeof(text)));

		note = size > note ? size : note;
	}
	if (note + 1 > last)
		last = note + 1;
	if (gaps > 0)
		gap = width > first + last ? (width - 1 - first - last) / gaps : GAP_MIN;
	gap = gap < GAP_MIN ? GAP_MIN : gap > GAP_MAX ? GAP_MAX : gap;
	for (unsigned i = 0; i < l->column_count; i++)
		l->columns[i].x = first + i * gap;
	l->note = l->columns[l->column_count - 1].x + 2;
}

static void
clear(struct ladder *l, bool lines)
{
	memset(l->canvas, ' ', sizeof(l->canvas));
	for (unsigned i = 0; i < l->column_count && lines; i++)
		l->canvas[l->columns[i].x] = '|';
}

static void
put(struct ladder *l, unsigned x, const char *text)
{
	size_t size = strlen(text);

	if (x + size < sizeof(l->canvas))
		memcpy(l->canvas + x, text, size);
}

static void
flush(struct ladder *l, FILE *stream)
{
	size_t size = sizeof(l->canvas);

	while (size > 0 && l->canvas[size - 1] == ' ')
		size--;
	fprintf(stream, "%.*s\n", (int)size, l->canvas);
}

/* Writes a text above each column, centred; those that would touch go one line lower. */
static void
draw_heads(struct ladder *l, bool realms, FILE *stream)
{
	bool done[COLUMNS_MAX] = {false};
	unsigned left = l->column_count;

	while (left > 0) {
		unsigned end = 0;

		clear(l, false);
		for (unsigned i = 0; i < l->column_count; i++) {
			const char *text = realms ? l->columns[i].realm : l->columns[i].label;
			unsigned size = (unsigned)strlen(text);
			unsigned start = l->columns[i].x > size / 2 ? l->columns[i].x - size / 2 : 0;

			if (done[i])
				continue;
			if (end > 0 && start <= end)
				continue;
			put(l, start, text);
			end = start + size;
			done[i] = true;
			left--;
		}
		flush(l, stream);
	}
}

/* Shortens a label to @room bytes: at a word, or to the status code. */
static void
fit_label(char *label, unsigned room)
{
	char *space;

	if (strlen(label) <= room)
		return;
	space = label[room] == ' ' ? label + room : NULL;
	label[room] = '\0';
	if (space == NULL)
		space = strrchr(label, ' ');
	if (space != NULL)
		*space = '\0';
}

static void
draw_arrow(struct ladder *l, unsigned from, unsigned to, const char *text)
{
	unsigned low = l->columns[from < to ? from : to].x + 1,
		 high = l->columns[from < to ? to : from].x - 1;
	unsigned far = from == l->edge ? to : from; /* the label stands in the gap next to the far end */
	unsigned start = low, end = high, room, size;
	char label[160];

	if (far < l->edge)
		end = l->columns[far + 1].x - 1;
	else
		start = l->columns[far - 1].x + 1;
	snprintf(label, sizeof(label), "%s", text);
	room = end - start + 1;
	fit_label(label, room - 3);
	size = (unsigned)strlen(label);
	memset(l->canvas + low, '-', high - low + 1);
	if (from < to) {
		l->canvas[high] = '>';
		if (size + 4 > room)
			put(l, start, label), l->canvas[start + size] = ' ';
		else if (size + 7 > room)
			l->canvas[start] = ' ', put(l, start + 1, label), l->canvas[start + 1 + size] = ' ';
		else
			l->canvas[start + 3] = ' ', put(l, start + 4, label),
					  l->canvas[start + 4 + size] = ' ';
	} else {
		l->canvas[low] = '<';
		if (size + 4 > room)
			put(l, end + 1 - size, label), l->canvas[end - size] = ' ';
		else
			l->canvas[end] = ' ', put(l, end - size, label), l->canvas[end - size - 1] = ' ';
	}
}

static void
draw_message(struct ladder *l, unsigned index, FILE *stream)
{
	const struct bp_event_message *event = &l->events[index];
	unsigned column = find_column(l, &event->flow);
	char label[160], text[64];
	uint64_t since = event->time_us - l->events[0].time_us;

	clear(l, true);
	snprintf(text, sizeof(text), "%3" PRIu64 ".%03" PRIu64, since / 1000000, since / 1000 % 1000);
	put(l, 0, text);
	bp_trace_label(event, label, sizeof(label));
	if (column < COLUMNS_MAX)
		draw_arrow(l, event->direction == BP_IN ? column : l->edge,
			event->direction == BP_IN ? l->edge : column, label);
	put(l, l->note, note_of(l, index, text, sizeof(text)));
	flush(l, stream);
}

static void
draw_title(const struct ladder *l, FILE *stream)
{
	char call_id[sizeof(l->events->call_id)], date[64];
	time_t seconds = (time_t)(l->events[0].time_us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(stream, "Call-ID %s\n%s.%03u UTC, %u message%s\n\n",
		bp_trace_clean(l->events[0].call_id, call_id, sizeof(call_id)), date,
		(unsigned)(l->events[0].time_us / 1000 % 1000), l->count, l->count == 1 ? "" : "s");
}

void
bp_ladder_draw(const struct bp_event_message *events, unsigned count, const struct bp_config *config,
	unsigned width, FILE *stream)
{
	struct ladder l = {.events = events, .count = count, .config = config};
	bool repeated = false;

	if (count == 0)
		return;
	find_columns(&l);
	place_columns(&l, width);
	draw_title(&l, stream);
	draw_heads(&l, true, stream);
	draw_heads(&l, false, stream);
	clear(&l, true);
	flush(&l, stream);
	for (unsigned i = 0; i < count; i++) {
		draw_message(&l, i, stream);
		repeated |= bp_trace_is_repeated(events, i);
	}
	clear(&l, true);
	flush(&l, stream);
	if (repeated)
		fprintf(stream, "\n* seen before: a retransmission\n");
}
