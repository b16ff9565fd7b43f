/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SIP messages as the simulated user agents write and read them. The reader is naive, one pass, and
 * knows only what such messages contain; it is written apart from the parser under test.
 *
 * Every message of a user agent has a serial number in X-Sim, which the edge must carry along.
 */
#ifndef BYEPASS_TESTS_SIMULATION_MESSAGE_H
#define BYEPASS_TESTS_SIMULATION_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#define SEEN_ROUTES_MAX 4
#define SEEN_VIAS_MAX 4

struct text {
	const char *at;
	unsigned size;
};

/* What must come out as it went in, whatever a proxy may change (RFC 4028: Session-Expires, Min-SE, Require). */
struct essence {
	uint64_t lines;     /* of all header lines but Via, Max-Forwards, Route and a request's Record-Route; in any order */
	uint64_t body;
	uint64_t vias[3];   /* of all Via lines; of those below the first; of those below the second */
	unsigned via_count;
};

struct seen {
	unsigned status; /* 0: a request */
	struct text start, method, uri; /* method: that of CSeq */
	struct text sent_by[2], branch[2]; /* of the first two Vias */
	struct text vias[SEEN_VIAS_MAX];   /* lines */
	struct text from, to, from_tag, to_tag, call_id;
	struct text contact; /* its URI */
	struct text reason;
	struct text record_routes[SEEN_ROUTES_MAX];
	unsigned record_route_count, route_count;
	unsigned cseq, serial;
	unsigned session; /* Session-Expires; 0: none */
	bool timer;       /* session timers are supported */
	int max_forwards;
	struct text body;
	struct essence essence;
};

/* False: nothing that a user agent could read. */
bool message_read(const char *bytes, unsigned size, struct seen *m);

bool text_is(struct text text, const char *string);
bool text_equal(struct text a, struct text b);
unsigned text_number(struct text text);
uint64_t text_hash(struct text text);
uint64_t bytes_hash(const void *bytes, unsigned size, uint64_t seed);

/* A request before it is bytes. All strings NUL-terminated; NULL: not there. */
struct wording {
	const char *method, *uri;
	const char *sent_by, *branch;
	const char *below;  /* a further Via line, with CRLF */
	const char *routes; /* Route lines, each with CRLF */
	const char *from, *from_tag, *to, *to_tag;
	const char *contact;
	const char *reason; /* of a CANCEL (RFC 3326) */
	unsigned call, cseq, serial, body; /* body: bytes */
	unsigned session;                  /* Session-Expires; 0: none */
	bool timer;                        /* Supported: timer */
	bool rport;
};

/* Both write into @out of MESSAGE_SIZE_MAX bytes and return the size. */
#define MESSAGE_SIZE_MAX 8192
unsigned message_write_request(const struct wording *wording, char *out);
/* @tag: To tag if @request has none. @contact: NULL: none. @session: Session-Expires; 0: none. */
unsigned message_write_response(const struct seen *request, unsigned status, const char *tag, const char *contact,
	unsigned serial, unsigned body, unsigned session, char *out);

#endif
