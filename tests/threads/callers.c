/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See callers.h.
 */
#include "callers.h"

#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/arch.h>

const struct peer *const crowd_peers[WHO_COUNT] = {&alice, &bob, &carol};

/* A message that is read line by line. */
struct reader {
	const char *at, *end;
};

struct line {
	const char *at;
	size_t size;
};

struct writer {
	char at[LETTER_MAX];
	size_t size;
};

static void
complain(struct caller *caller, const char *wrong)
{
	atomic_store_explicit(&caller->crowd->wrong, wrong, memory_order_relaxed);
}

static bool
next_line(struct reader *reader, struct line *line)
{
	const char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

	if (end == NULL || end - reader->at < 2)
		return false;
	line->at = reader->at;
	line->size = (size_t)(end - reader->at) - 1;
	reader->at = end + 1;
	return true;
}

static bool
is_header(const struct line *line, const char *name)
{
	size_t size = strlen(name);

	return line->size > size && line->at[size] == ':' && memcmp(line->at, name, size) == 0;
}

/* The first line of that name; its value from behind the colon and space. */
static struct line
header(const char *bytes, size_t size, const char *name)
{
	struct reader reader = {bytes, bytes + size};
	struct line line;

	while (next_line(&reader, &line))
		if (is_header(&line, name))
			return (struct line){line.at + strlen(name) + 2, line.size - strlen(name) - 2};
	return (struct line){"", 0};
}

static void __attribute__((format(printf, 2, 3)))
print(struct writer *writer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	writer->size += (size_t)vsnprintf(
		writer->at + writer->size, sizeof(writer->at) - writer->size, format, arguments);
	va_end(arguments);
	if (writer->size >= sizeof(writer->at))
		abort();
}

static void
print_line(struct writer *writer, const struct line *line)
{
	print(writer, "%.*s\r\n", (int)line->size, line->at);
}

static unsigned
number_of(const char *bytes, size_t size)
{
	struct line line = header(bytes, size, "Call-ID");

	return line.size > 1 ? (unsigned)atoi(line.at + 1) : 0;
}

static bool
cseq_is(const char *bytes, size_t size, const char *method)
{
	struct line line = header(bytes, size, "CSeq");
	const char *space = memchr(line.at, ' ', line.size);

	return space != NULL && strlen(method) == line.size - (size_t)(space + 1 - line.at) &&
		memcmp(space + 1, method, strlen(method)) == 0;
}

enum kind
call_kind(unsigned call)
{
	uint64_t state = call;

	return (enum kind)random_below(&state, KIND_COUNT);
}

/* from: 31..16 number of the twins, 8 whether there is one, 7..0 who */
#define TWIN 256u
#define SPINS 2000

enum who
letter_who(uint32_t from)
{
	return (enum who)(from & 255);
}

void
letter_wait(struct crowd *crowd, uint32_t from)
{
	_Atomic uint32_t *twins = &crowd->twins[from >> 16];
	uint32_t seen;

	if ((from & TWIN) == 0)
		return;
	seen = atomic_fetch_add_explicit(twins, 1, memory_order_relaxed) + 1;
	for (unsigned i = 0; i < SPINS && (seen & 1) != 0; i++) {
		caa_cpu_relax();
		seen = atomic_load_explicit(twins, memory_order_relaxed);
	}
}

/* A letter to some worker; half of them arrive twice, at two workers. */
static void
post(struct caller *caller, enum who who, const struct writer *writer)
{
	unsigned threads = caller->crowd->threads, to = random_below(&caller->random, threads);
	uint32_t twin = (caller->thread * TWINS + caller->twin++ % TWINS) << 16 | TWIN | who;

	if (random_below(&caller->random, 2) == 0) {
		post_put(caller->thread, to, who, writer->at, writer->size);
		return;
	}
	post_put(caller->thread, to, twin, writer->at, writer->size);
	post_put(caller->thread, (to + 1) % threads, twin, writer->at, writer->size);
}

/* ---- alice ---- */

#define VIA "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKf%u;rport\r\n" /* of her first request, its ACK and CANCEL */

static void
print_call(struct writer *writer, unsigned call, const char *method, unsigned cseq)
{
	print(writer, "Max-Forwards: 70\r\nCall-ID: c%u@alice\r\nCSeq: %u %s\r\n", call, cseq, method);
}

size_t
call_request(unsigned call, char *out, size_t capacity)
{
	const char *method = call_kind(call) == KIND_MESSAGE ? "MESSAGE" : "INVITE";
	struct writer writer = {.size = 0};

	print(&writer, "%s sip:bob@example.com SIP/2.0\r\n" VIA, method, call);
	print(&writer, "From: <sip:alice@example.com>;tag=a%u\r\nTo: <sip:bob@example.com>\r\n", call);
	print_call(&writer, call, method, 1);
	print(&writer, "Contact: <sip:alice@192.0.2.10:5060>\r\nContent-Length: 0\r\n\r\n");
	if (writer.size > capacity)
		abort();
	memcpy(out, writer.at, writer.size);
	return writer.size;
}

static void
print_cancel(struct writer *writer, unsigned call)
{
	print(writer, "CANCEL sip:bob@example.com SIP/2.0\r\n" VIA, call);
	print(writer, "From: <sip:alice@example.com>;tag=a%u\r\nTo: <sip:bob@example.com>\r\n", call);
	print_call(writer, call, "CANCEL", 1);
	print(writer, "Reason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n");
}

void
call_cancel_early(struct caller *caller, unsigned call)
{
	struct writer writer = {.size = 0};

	print_cancel(&writer, call);
	post(caller, ALICE, &writer);
}

/* ACK for a non-2xx: a part of the INVITE's transaction. */
static void
ack_refusal(struct caller *caller, unsigned call, const char *bytes, size_t size)
{
	struct line to = header(bytes, size, "To");
	struct writer writer = {.size = 0};

	print(&writer, "ACK sip:bob@example.com SIP/2.0\r\n" VIA, call);
	print(&writer, "From: <sip:alice@example.com>;tag=a%u\r\nTo: %.*s\r\n", call, (int)to.size, to.at);
	print_call(&writer, call, "ACK", 1);
	print(&writer, "Content-Length: 0\r\n\r\n");
	post(caller, ALICE, &writer);
}

/* A request in the dialog that a 2xx made; its Record-Routes in reverse order. */
static void
in_dialog(struct caller *caller, unsigned call, const char *method, const char *branch, unsigned cseq,
	const char *bytes, size_t size)
{
	struct line contact = header(bytes, size, "Contact"), to = header(bytes, size, "To"), routes[4], line;
	struct reader reader = {bytes, bytes + size};
	struct writer writer = {.size = 0};
	unsigned count = 0;

	if (contact.size < 3)
		return;
	while (next_line(&reader, &line))
		if (is_header(&line, "Record-Route") && count < 4)
			routes[count++] = (struct line){line.at + 14, line.size - 14};
	print(&writer, "%s %.*s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK%s;rport\r\n", method,
		(int)contact.size - 2, contact.at + 1, branch);
	while (count-- > 0)
		print(&writer, "Route: %.*s\r\n", (int)routes[count].size, routes[count].at);
	print(&writer, "From: <sip:alice@example.com>;tag=a%u\r\nTo: %.*s\r\n", call, (int)to.size, to.at);
	print_call(&writer, call, method, cseq);
	print(&writer, "Content-Length: 0\r\n\r\n");
	post(caller, ALICE, &writer);
}

/* Every 2xx is ACKed; then she hangs up, with the same BYE each time. */
static void
answered(struct caller *caller, unsigned call, const char *bytes, size_t size)
{
	struct line to = header(bytes, size, "To");
	char branch[64];

	snprintf(branch, sizeof(branch), "a%u-%u", call, random_below(&caller->random, 1000000));
	in_dialog(caller, call, "ACK", branch, 1, bytes, size);
	snprintf(branch, sizeof(branch), "b%u-%c", call, to.at[to.size - 1]); /* one dialog with each callee */
	in_dialog(caller, call, "BYE", branch, 2, bytes, size);
}

static void
first_answered(struct caller *caller, unsigned call, unsigned status, const char *bytes, size_t size)
{
	struct book *book = &caller->crowd->books[call];
	enum kind kind = call_kind(call);
	uint32_t before = 0;

	if (status < 200) {
		if (status > 100 && (kind == KIND_CANCELLED || kind == KIND_CROSSING || kind == KIND_EARLY))
			call_cancel_early(caller, call);
		return;
	}
	if (status < 300) {
		atomic_fetch_add_explicit(&book->ok, 1, memory_order_relaxed);
		if (kind != KIND_MESSAGE)
			answered(caller, call, bytes, size);
		return;
	}
	if (!atomic_compare_exchange_strong_explicit(
		    &book->final, &before, status, memory_order_relaxed, memory_order_relaxed) &&
		before != status)
		complain(caller, "alice got two different final responses");
	if (kind != KIND_MESSAGE)
		ack_refusal(caller, call, bytes, size);
}

static void
response_for_alice(struct caller *caller, unsigned call, unsigned status, const char *bytes, size_t size)
{
	if (cseq_is(bytes, size, call_kind(call) == KIND_MESSAGE ? "MESSAGE" : "INVITE"))
		first_answered(caller, call, status, bytes, size);
	else if (cseq_is(bytes, size, "CANCEL") && status == 200)
		atomic_fetch_add_explicit(&caller->crowd->books[call].cancel_ok, 1, memory_order_relaxed);
}

/* ---- bob and carol ---- */

static void
respond(struct caller *caller, enum who who, unsigned status, const char *method, const char *bytes, size_t size)
{
	struct reader reader = {bytes, bytes + size};
	struct writer writer = {.size = 0};
	struct line line;

	print(&writer, "SIP/2.0 %u Whatever\r\n", status);
	while (next_line(&reader, &line)) {
		if (is_header(&line, "Via") || is_header(&line, "From") || is_header(&line, "Call-ID") ||
			(is_header(&line, "Record-Route") && status < 300))
			print_line(&writer, &line);
		else if (is_header(&line, "To") && memmem(line.at, line.size, ";tag=", 5) == NULL)
			print(&writer, "%.*s;tag=%c\r\n", (int)line.size, line.at, who == BOB ? 'b' : 'c');
		else if (is_header(&line, "To"))
			print_line(&writer, &line);
		else if (is_header(&line, "CSeq"))
			print(&writer, "CSeq: %d %s\r\n", atoi(line.at + 6), method);
	}
	if (status < 300)
		print(&writer, "Contact: <%s>\r\n", who == BOB ? "sip:bob@10.0.0.2:5060" : "sip:carol@10.0.0.3:5060");
	print(&writer, "Content-Length: 0\r\n\r\n");
	post(caller, who, &writer);
}

/* One request goes to each of them on one branch only, however many workers got it. */
static void
check_branch(struct caller *caller, unsigned call, unsigned what, const char *bytes, size_t size)
{
	_Atomic uint64_t *place = &caller->crowd->books[call].branch[what];
	struct line via = header(bytes, size, "Via");
	uint64_t hash = 14695981039346656037u, before = 0;

	for (size_t i = 0; i < via.size; i++)
		hash = (hash ^ (uint8_t)via.at[i]) * 1099511628211u;
	if (!atomic_compare_exchange_strong_explicit(
		    place, &before, hash, memory_order_relaxed, memory_order_relaxed) &&
		before != hash)
		complain(caller, what == 2 ? "a BYE went out on two branches" : "a request went out on two branches");
}

static void
invited(struct caller *caller, enum who who, unsigned call, const char *bytes, size_t size)
{
	enum search search = caller->crowd->search;
	enum kind kind = call_kind(call);
	bool second = who == CAROL && search == BOTH_AT_ONCE;

	check_branch(caller, call, who - BOB, bytes, size);
	if (who == BOB && search == BOB_THEN_CAROL && call % 2 == 0) {
		respond(caller, who, 503, "INVITE", bytes, size);
		return;
	}
	if (kind == KIND_LATE && random_below(&caller->random, 4) != 0)
		return;
	if (kind != KIND_LATE)
		respond(caller, who, 180, "INVITE", bytes, size);
	if (kind == KIND_REFUSED)
		respond(caller, who, second ? 404 : 486, "INVITE", bytes, size);
	else if (kind == KIND_LATE || ((kind == KIND_ANSWERED || kind == KIND_CROSSING) && !second))
		respond(caller, who, 200, "INVITE", bytes, size);
}

static void
cancelled(struct caller *caller, enum who who, unsigned call, const char *bytes, size_t size)
{
	enum kind kind = call_kind(call);
	bool rings_only = who == CAROL && caller->crowd->search == BOTH_AT_ONCE;

	respond(caller, who, 200, "CANCEL", bytes, size);
	if (kind == KIND_CANCELLED || kind == KIND_EARLY || kind == KIND_LATE || rings_only)
		respond(caller, who, 487, "INVITE", bytes, size);
}

static void
request_for(struct caller *caller, enum who who, unsigned call, const char *bytes, size_t size)
{
	if (strncmp(bytes, "INVITE ", 7) == 0) {
		invited(caller, who, call, bytes, size);
	} else if (strncmp(bytes, "CANCEL ", 7) == 0) {
		cancelled(caller, who, call, bytes, size);
	} else if (strncmp(bytes, "MESSAGE ", 8) == 0) {
		check_branch(caller, call, who - BOB, bytes, size);
		if (who == BOB && caller->crowd->search == BOB_THEN_CAROL && call % 2 == 0)
			respond(caller, who, 503, "MESSAGE", bytes, size);
		else
			respond(caller, who, 200, "MESSAGE", bytes, size);
	} else if (strncmp(bytes, "BYE ", 4) == 0) {
		if (caller->crowd->search == ONLY_BOB)
			check_branch(caller, call, 2, bytes, size);
		respond(caller, who, 200, "BYE", bytes, size);
	}
}

/* Some of what will be said again is lost. */
static bool
is_lost(struct caller *caller, unsigned status, const char *bytes, size_t size)
{
	bool repeated = status == 0 ? strncmp(bytes, "ACK ", 4) != 0 : status >= 300 && cseq_is(bytes, size, "INVITE");

	return repeated && random_below(&caller->random, 16) == 0;
}

void
call_arrived(struct caller *caller, const struct bp_flow *to, const char *bytes, size_t size)
{
	unsigned call = number_of(bytes, size);
	unsigned status = strncmp(bytes, "SIP/2.0 ", 8) == 0 ? (unsigned)atoi(bytes + 8) : 0;
	enum who who = ALICE;

	for (; who < WHO_COUNT; who++) {
		struct bp_flow flow = peer_flow(crowd_peers[who]);

		if (bp_ip_equal(&flow.ip, &to->ip))
			break;
	}
	if (who == WHO_COUNT || (who == ALICE) != (status != 0))
		complain(caller, "the edge sent something to nobody");
	else if (is_lost(caller, status, bytes, size))
		return;
	else if (who == ALICE)
		response_for_alice(caller, call, status, bytes, size);
	else
		request_for(caller, who, call, bytes, size);
}
