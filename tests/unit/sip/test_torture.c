/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The torture messages of RFC 4475 and RFC 5118, each by name, as far as the
 * parser has a say in it. Read from $BYEPASS_CORPORA; skipped by name where they are absent.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

struct torture {
	const char *file;
	enum bp_sip_fault fault;
	bool answerable; /* only looked at when there is a fault */
	void (*check)(const struct bp_sip_message *m);
};

static void
assert_uri(const struct bp_sip_message *m, const char *user, const char *host, unsigned port)
{
	assert_span(m, m->target.user, user);
	assert_span(m, m->target.host, host);
	assert_int_equal(m->target.port, port);
}

static struct bp_span
value_of(const struct bp_sip_message *m, const char *name)
{
	const struct bp_sip_header *header = bp_sip_find(m, name);

	assert_non_null(header);
	return header->value;
}

static void
wsinv(const struct bp_sip_message *m)
{
	struct bp_sip_walk walk = {.started = false};
	struct bp_sip_address route;
	struct bp_sip_via via;
	struct bp_sip_uri uri;

	assert_int_equal(m->method, BP_METHOD_INVITE);
	assert_uri(m, "vivekg", "chair-dnrc.example.com", 0);
	assert_int_equal(m->max_forwards, 68);
	assert_int_equal(m->cseq, 9);
	assert_span(m, m->to_tag, "1918181833n");
	assert_span(m, m->from_tag, "98asjd8");
	assert_span(m, m->via.host, "192.0.2.2");
	assert_span(m, m->via.branch, "390skdjuw");
	assert_false(m->via.magic);
	assert_true(m->via.last);
	assert_int_equal(m->via.transport, BP_TRANSPORT_UDP);
	assert_int_equal(m->body.size, 150);
	assert_span(m, value_of(m, "NewFangledHeader"), "newfangled value\r\n continued newfangled value");
	assert_span(m, value_of(m, "UnknownHeaderWithUnusualValue"), ";;,,;;,;");
	assert_int_equal(value_of(m, "s").size, 0);
	assert_true(bp_sip_walk_next(m, BP_SIP_ROUTE, &walk));
	assert_true(bp_sip_address_cut(m->bytes, walk.element, &route));
	assert_true(bp_sip_uri_cut(m->bytes, route.uri, &uri));
	assert_true(uri.loose);
	assert_false(bp_sip_walk_next(m, BP_SIP_ROUTE, &walk));
	memset(&walk, 0, sizeof(walk));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const branches[] = {"390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"};

		assert_true(bp_sip_walk_next(m, BP_SIP_VIA, &walk));
		assert_true(bp_sip_via_cut(m->bytes, walk.element, &via));
		assert_span(m, via.branch, branches[i]);
	}
	assert_false(bp_sip_walk_next(m, BP_SIP_VIA, &walk));
}

static void
intmeth(const struct bp_sip_message *m)
{
	assert_int_equal(m->method, BP_METHOD_OTHER);
	assert_span(m, m->method_text, "!interesting-Method0123456789_*+`.%indeed'~");
	assert_uri(m, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*", "example.com", 0);
	assert_span(m, m->from_tag, "_token~1'+`*%!-.");
	assert_span(m, m->call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
	assert_int_equal(m->max_forwards, 255);
	assert_int_equal(m->via.transport, BP_TRANSPORT_TCP);
}

static void
esc01(const struct bp_sip_message *m)
{
	assert_uri(m, "sips%3Auser%40example.com", "example.net", 0);
}

static void
escnull(const struct bp_sip_message *m)
{
	struct bp_sip_address contact;

	assert_true(bp_sip_address_cut(m->bytes, value_of(m, "Contact"), &contact));
	assert_span(m, contact.uri, "sip:%00@host5.example.com");
}

static void
esc02(const struct bp_sip_message *m)
{
	assert_int_equal(m->method, BP_METHOD_OTHER);
	assert_span(m, value_of(m, "C%6Fntact"), "<sip:alias2@host2.example.com>");
	assert_span(m, value_of(m, "Contact"), "<sip:alias1@host1.example.com>");
}

static void
lwsdisp(const struct bp_sip_message *m)
{
	assert_span(m, m->from_tag, "323");
}

static void
longreq(const struct bp_sip_message *m)
{
	struct bp_sip_walk walk = {.started = false};
	unsigned count = 0;

	while (bp_sip_walk_next(m, BP_SIP_VIA, &walk))
		count++;
	assert_int_equal(count, 34);
}

static void
dblreq(const struct bp_sip_message *m)
{
	assert_int_equal(m->method, BP_METHOD_REGISTER);
	assert_int_equal(m->size, m->body_offset);
}

static void
semiuri(const struct bp_sip_message *m)
{
	assert_uri(m, "user;par=u%40example.net", "example.com", 0);
}

static void
mpart01(const struct bp_sip_message *m)
{
	assert_int_equal(m->body.size, 553);
}

static void
unreason(const struct bp_sip_message *m)
{
	assert_int_equal(m->status, 200);
	assert_int_equal(m->reason.size, 74);
}

static void
noreason(const struct bp_sip_message *m)
{
	assert_int_equal(m->status, 100);
	assert_int_equal(m->reason.size, 0);
	assert_int_equal(m->method, BP_METHOD_INVITE);
}

static void
badbranch(const struct bp_sip_message *m)
{
	assert_span(m, m->via.branch, "z9hG4bK");
	assert_false(m->via.magic);
}

static void
other_scheme(const struct bp_sip_message *m)
{
	assert_int_equal(m->target.scheme, BP_URI_OTHER);
}

static void
unksm2(const struct bp_sip_message *m)
{
	assert_int_equal(m->target.scheme, BP_URI_SIP);
	assert_uri(m, "", "example.com", 0);
}

static void
bext01(const struct bp_sip_message *m)
{
	assert_span(m, bp_sip_first(m, BP_SIP_PROXY_REQUIRE)->value,
		"noProxiesSupportThis, norDoAnyProxiesSupportThis");
}

static void
bcast(const struct bp_sip_message *m)
{
	struct bp_sip_walk walk = {.started = false};
	struct bp_sip_via via;

	assert_true(bp_sip_walk_next(m, BP_SIP_VIA, &walk));
	assert_true(bp_sip_walk_next(m, BP_SIP_VIA, &walk));
	assert_true(bp_sip_via_cut(m->bytes, walk.element, &via));
	assert_span(m, via.host, "255.255.255.255");
}

static void
zeromf(const struct bp_sip_message *m)
{
	assert_int_equal(m->max_forwards, 0);
}

static void
inv2543(const struct bp_sip_message *m)
{
	assert_int_equal(m->from_tag.size, 0);
	assert_int_equal(m->via.branch.size, 0);
	assert_false(m->via.magic);
	assert_int_equal(m->max_forwards, -1);
	assert_int_equal(m->first[BP_SIP_CONTENT_LENGTH], 0);
	assert_int_equal(m->body.size, 105);
}

static void
ipv6_good(const struct bp_sip_message *m)
{
	struct bp_ip ip;

	assert_uri(m, "", "[2001:db8::10]", 0);
	assert_true(bp_sip_host_ip(m->bytes, m->target.host, &ip));
	assert_span(m, m->via.host, "[2001:db8::9:1]");
}

static void
port_ambiguous(const struct bp_sip_message *m)
{
	assert_uri(m, "", "[2001:db8::10:5070]", 0);
}

static void
port_unambiguous(const struct bp_sip_message *m)
{
	assert_uri(m, "", "[2001:db8::10]", 5070);
}

static void
abnf(const struct bp_sip_message *m)
{
	static const uint8_t expected[16] = {0x20, 0x01, 0x0d, 0xb8, [12] = 192, 0, 2, 1};
	struct bp_ip ip;

	assert_true(bp_sip_host_ip(m->bytes, m->target.host, &ip));
	assert_memory_equal(ip.bytes, expected, 16);
}

static void
received_plain(const struct bp_sip_message *m)
{
	assert_span(m, m->via.received, "2001:db8::9:255");
}

static void
received_bracketed(const struct bp_sip_message *m)
{
	assert_span(m, m->via.received, "[2001:db8::9:255]");
}

static void
mapped(const struct bp_sip_message *m)
{
	static const uint8_t v4[4] = {192, 0, 2, 10};
	struct bp_ip ip, expected = bp_ip_from_v4(v4);

	assert_int_equal(m->via.port, 19823);
	assert_true(bp_sip_host_ip(m->bytes, m->via.host, &ip));
	assert_true(bp_ip_equal(&ip, &expected));
}

#define OK BP_SIP_FAULT_NONE
#define BAD(fault) BP_SIP_FAULT_##fault

static const struct torture messages[] = {
	{"rfc4475/wsinv.dat", OK, false, wsinv},
	{"rfc4475/intmeth.dat", OK, false, intmeth},
	{"rfc4475/esc01.dat", OK, false, esc01},
	{"rfc4475/escnull.dat", OK, false, escnull},
	{"rfc4475/esc02.dat", OK, false, esc02},
	{"rfc4475/lwsdisp.dat", OK, false, lwsdisp},
	{"rfc4475/longreq.dat", OK, false, longreq},
	{"rfc4475/dblreq.dat", OK, false, dblreq},
	{"rfc4475/semiuri.dat", OK, false, semiuri},
	{"rfc4475/transports.dat", OK, false, NULL},
	{"rfc4475/mpart01.dat", OK, false, mpart01},
	{"rfc4475/unreason.dat", OK, false, unreason},
	{"rfc4475/noreason.dat", OK, false, noreason},
	{"rfc4475/badinv01.dat", BAD(BAD_VIA), true, NULL},
	{"rfc4475/clerr.dat", BAD(BODY_TRUNCATED), true, NULL},
	{"rfc4475/ncl.dat", BAD(BAD_CONTENT_LENGTH), true, NULL},
	{"rfc4475/scalar02.dat", BAD(BAD_CSEQ), true, NULL},
	{"rfc4475/scalarlg.dat", BAD(BAD_CSEQ), false, NULL},
	{"rfc4475/quotbal.dat", BAD(BAD_TO), true, NULL},
	{"rfc4475/ltgtruri.dat", BAD(REQUEST_URI), true, NULL},
	{"rfc4475/lwsruri.dat", BAD(REQUEST_URI), true, NULL},
	{"rfc4475/lwsstart.dat", BAD(REQUEST_URI), true, NULL},
	{"rfc4475/trws.dat", BAD(START_LINE), true, NULL},
	{"rfc4475/escruri.dat", BAD(REQUEST_URI), true, NULL},
	{"rfc4475/baddate.dat", OK, false, NULL},
	{"rfc4475/regbadct.dat", OK, false, NULL},
	{"rfc4475/badaspec.dat", BAD(BAD_TO), true, NULL},
	{"rfc4475/baddn.dat", BAD(NO_END), true, NULL},
	{"rfc4475/badvers.dat", BAD(VERSION), true, NULL},
	{"rfc4475/mismatch01.dat", BAD(CSEQ_METHOD), true, NULL},
	{"rfc4475/mismatch02.dat", BAD(METHOD), true, NULL},
	{"rfc4475/bigcode.dat", BAD(STATUS_CODE), false, NULL},
	{"rfc4475/badbranch.dat", OK, false, badbranch},
	{"rfc4475/insuf.dat", BAD(NO_FROM), false, NULL},
	{"rfc4475/unkscm.dat", OK, false, other_scheme},
	{"rfc4475/novelsc.dat", OK, false, other_scheme},
	{"rfc4475/unksm2.dat", OK, false, unksm2},
	{"rfc4475/bext01.dat", OK, false, bext01},
	{"rfc4475/invut.dat", OK, false, NULL},
	{"rfc4475/regaut01.dat", OK, false, NULL},
	{"rfc4475/multi01.dat", BAD(REPEATED_HEADER), true, NULL},
	{"rfc4475/mcl01.dat", BAD(REPEATED_HEADER), true, NULL},
	{"rfc4475/bcast.dat", OK, false, bcast},
	{"rfc4475/zeromf.dat", OK, false, zeromf},
	{"rfc4475/cparam01.dat", OK, false, NULL},
	{"rfc4475/cparam02.dat", OK, false, NULL},
	{"rfc4475/regescrt.dat", OK, false, NULL},
	{"rfc4475/sdp01.dat", OK, false, NULL},
	{"rfc4475/inv2543.dat", OK, false, inv2543},
	{"rfc4475/test.dat", BAD(START_LINE), false, NULL},
	{"rfc5118/ipv6-good", OK, false, ipv6_good},
	{"rfc5118/ipv6-bad", BAD(REQUEST_URI), true, NULL},
	{"rfc5118/port-ambiguous", OK, false, port_ambiguous},
	{"rfc5118/port-unambiguous", OK, false, port_unambiguous},
	{"rfc5118/via-received-param-no-delim", OK, false, received_plain},
	{"rfc5118/via-received-param-with-delim", OK, false, received_bracketed},
	{"rfc5118/ipv6-in-sdp", OK, false, NULL},
	{"rfc5118/mult-ip-in-header", OK, false, NULL},
	{"rfc5118/mult-ip-in-sdp", OK, false, NULL},
	{"rfc5118/ipv4-mapped-ipv6", OK, false, mapped},
	{"rfc5118/ipv6-bug-abnf-3-colons", OK, false, abnf},
	{"rfc5118/ipv6-correct-abnf-2-colons", OK, false, abnf},
};

#define COUNT (sizeof(messages) / sizeof(messages[0]))

static void
torture(void **state)
{
	const struct torture *t = *state;
	const char *folder = getenv("BYEPASS_CORPORA");
	struct bp_sip_message m;
	enum bp_sip_fault fault;
	char path[512];
	uint8_t *bytes;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "../shared/corpora", t->file);
	bytes = read_file(path, &size);
	if (bytes == NULL) {
		print_message("%s is absent\n", path);
		skip();
	}
	fault = parse_bytes(&m, bytes, size);
	free(bytes);
	if (fault != t->fault)
		print_error("%s: \"%s\" at %u, not \"%s\"\n", t->file, bp_sip_fault_text(fault),
			m.fault_offset, bp_sip_fault_text(t->fault));
	assert_int_equal(fault, t->fault);
	assert_int_equal(m.fault, t->fault);
	if (fault != BP_SIP_FAULT_NONE)
		assert_int_equal(bp_sip_answerable(&m), t->answerable);
	if (t->check)
		t->check(&m);
}

int
main(void)
{
	struct CMUnitTest tests[COUNT];

	for (size_t i = 0; i < COUNT; i++)
		tests[i] = (struct CMUnitTest){messages[i].file, torture, NULL, NULL, (void *)&messages[i]};
	return _cmocka_run_group_tests("torture", tests, COUNT, NULL, NULL);
}
