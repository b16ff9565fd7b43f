/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The caller's initial requests, and SDP. See messages.h.
 */
#include "generator/messages.h"
#include "generator/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

char
branch_letter(enum gen_kind kind)
{
	switch (kind) {
	case GEN_KIND_ACK:
		return 'a';
	case GEN_KIND_BYE:
		return 'b';
	case GEN_KIND_OPTIONS:
		return 'o';
	case GEN_KIND_REGISTER:
		return 'r';
	default:
		return 'i';
	}
}

void
request_uri(const struct gen *gen, enum gen_kind kind, char *out, size_t size)
{
	snprintf(out, size, kind == GEN_KIND_REGISTER ? "sip:%s" : "sip:" CALLEE_USER "@%s", gen->target);
}

void
to_uri(const struct gen *gen, enum gen_kind kind, char *out, size_t size)
{
	if (kind == GEN_KIND_REGISTER)
		snprintf(out, size, FROM_URI);
	else
		snprintf(out, size, "<sip:" CALLEE_USER "@%s>", gen->target);
}

unsigned
cseq_of(enum gen_kind kind)
{
	return kind == GEN_KIND_BYE || kind == GEN_KIND_OK_BYE ? 2 : 1;
}

const char *
method_of(enum gen_kind kind)
{
	return kind == GEN_KIND_ACK_FINAL ? "ACK" : gen_kind_name(kind);
}

void
message_begin(const struct gen *gen, struct builder *builder, struct template *template, enum gen_kind kind)
{
	builder->source = gen->sides[CALLER].places;
	builder->trunk = gen->sides[CALLEE].places;
	builder->sources = gen->sides[CALLER].place_count > 1;
	builder->trunks = gen->sides[CALLEE].place_count > 1;
	builder_begin(builder, template, kind);
}

void
put_request_head(struct gen *gen, struct builder *builder, enum gen_kind kind)
{
	char via[128];

	snprintf(via, sizeof(via), "Via: " VIA "%c\r\n", branch_letter(kind));
	builder_pieces(builder, via);
	builder_text(builder, "Max-Forwards: 70\r\n");
}

void
put_dialog_lines(struct gen *gen, struct builder *builder, enum gen_kind kind)
{
	char text[160];

	snprintf(text, sizeof(text), "Call-ID: " NUMBER "-%s\r\nCSeq: %u %s\r\n", gen->run, cseq_of(kind),
		method_of(kind));
	builder_pieces(builder, "From: " FROM_URI ";tag=" FROM_TAG "\r\n");
	builder_pieces(builder, text);
}

/* One of the caller's requests outside of dialogs. */
static int
make_request(struct gen *gen, struct template *template, enum gen_kind kind, const char *body, uint32_t body_size)
{
	struct builder builder;
	char uri[160];

	message_begin(gen, &builder, template, kind);
	request_uri(gen, kind, uri, sizeof(uri));
	builder_text(&builder, "%s %s SIP/2.0\r\n", method_of(kind), uri);
	put_request_head(gen, &builder, kind);
	to_uri(gen, kind, uri, sizeof(uri));
	builder_text(&builder, "To: %s\r\n", uri);
	put_dialog_lines(gen, &builder, kind);
	if (kind == GEN_KIND_INVITE || kind == GEN_KIND_REGISTER)
		builder_pieces(&builder, "Contact: " CALLER_CONTACT "\r\n");
	if (kind == GEN_KIND_REGISTER)
		builder_text(&builder, "Expires: " EXPIRES "\r\n");
	if (gen->extra != NULL && kind != GEN_KIND_CANCEL)
		builder_pieces(&builder, gen->extra);
	if (body_size > 0)
		builder_text(&builder, "Content-Type: application/sdp\r\n");
	builder_text(&builder, "Content-Length: %u\r\n\r\n", body_size);
	builder_bytes(&builder, body, body_size);
	if (!builder_end(&builder))
		return -EMSGSIZE;
	frame_prepare(&gen->sides[CALLER], template);
	return 0;
}

static void
make_sdp(char *out, uint32_t *size, const char *name)
{
	*size = (uint32_t)snprintf(out, MESSAGE_MAX,
		"v=0\r\no=- 3724394400 3724394400 IN IP4 192.0.2.1\r\ns=%s\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		"m=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
		name);
}

/* Attributes that mean nothing, until the body has that size. */
static void
fill_sdp(char *body, uint32_t *size, uint32_t wanted)
{
	while (*size < wanted) {
		uint32_t left = wanted - *size, line = left > 74 ? 64 : left;

		if (line < 10)
			return;
		memcpy(body + *size, "a=x-fill:", 9);
		memset(body + *size + 9, 'x', line - 11);
		memcpy(body + *size + line - 2, "\r\n", 2);
		*size += line;
	}
}

int
messages_create(struct gen *gen, char *error)
{
	uint32_t wanted = gen->options.message_size;
	int failed;

	make_sdp(gen->offer, &gen->offer_size, "offer");
	make_sdp(gen->answer, &gen->answer_size, "answer");
	failed = make_request(gen, &gen->invite, GEN_KIND_INVITE, gen->offer, gen->offer_size);
	if (failed == 0 && wanted > 0) {
		uint32_t size = gen->invite.size - HEADERS_SIZE;

		if (wanted > MESSAGE_MAX || (wanted != size && wanted < size + 12)) {
			snprintf(error, 256, "an INVITE can have %u, or %u to %u bytes", size, size + 12, MESSAGE_MAX);
			return -EINVAL;
		}
		/* its Content-Length may become longer by a digit */
		if (gen->offer_size < 1000 && gen->offer_size + wanted - size >= 1000)
			wanted--;
		fill_sdp(gen->offer, &gen->offer_size, gen->offer_size + wanted - size);
		failed = make_request(gen, &gen->invite, GEN_KIND_INVITE, gen->offer, gen->offer_size);
	}
	if (failed == 0)
		failed = make_request(gen, &gen->cancel, GEN_KIND_CANCEL, NULL, 0);
	if (failed == 0)
		failed = make_request(gen, &gen->options_request, GEN_KIND_OPTIONS, NULL, 0);
	if (failed == 0)
		failed = make_request(gen, &gen->register_request, GEN_KIND_REGISTER, NULL, 0);
	if (failed != 0)
		snprintf(error, 256, "the messages become longer than %u bytes, or have too many fields", MESSAGE_MAX);
	return failed;
}
