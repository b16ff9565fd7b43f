/* SPDX-License-Identifier: BSD-3-Clause
 *
 * control/dns without a name server: what answers say, RFC 3263 from a zone in memory, and the cache with a clock that
 * is told. RFC 1035, 2308, 2782, 3263 4, 3403.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/cache.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu-qsbr.h>

/* ---- messages ---- */

struct packet {
	uint8_t bytes[8192];
	size_t size;
};

static void
put16(struct packet *p, unsigned value)
{
	p->bytes[p->size++] = (uint8_t)(value >> 8);
	p->bytes[p->size++] = (uint8_t)value;
}

static void
put_name(struct packet *p, const char *name)
{
	while (*name != '\0') {
		size_t size = strcspn(name, ".");

		p->bytes[p->size++] = (uint8_t)size;
		memcpy(p->bytes + p->size, name, size);
		p->size += size;
		name += size + (name[size] == '.');
	}
	p->bytes[p->size++] = 0;
}

static void
begin(struct packet *p, const char *name, unsigned type, unsigned code)
{
	memset(p, 0, sizeof(*p));
	put16(p, 1);
	put16(p, 0x8180 | code);
	p->bytes[5] = 1;
	p->size = 12;
	put_name(p, name);
	put16(p, type);
	put16(p, 1);
}

/* Returns where the size of the data goes. */
static size_t
record(struct packet *p, const char *owner, unsigned type, unsigned ttl)
{
	put_name(p, owner);
	put16(p, type);
	put16(p, 1);
	put16(p, ttl >> 16);
	put16(p, ttl);
	put16(p, 0);
	return p->size;
}

static void
end(struct packet *p, size_t data, unsigned count_at)
{
	size_t size = p->size - data;

	p->bytes[data - 2] = (uint8_t)(size >> 8);
	p->bytes[data - 1] = (uint8_t)size;
	p->bytes[count_at + 1]++;
}

/* "A 192.0.2.1", "AAAA ::1", "CNAME x", "SRV 1 2 5060 x", "NAPTR 1 2 s SIP+D2U _sip._udp.x", "SOA minimum" */
static void
add(struct packet *p, const char *owner, unsigned ttl, const char *text)
{
	char type[8], a[256] = "", b[256] = "", c[256] = "", d[256] = "", e[256] = "";
	size_t data;

	sscanf(text, "%7s %255s %255s %255s %255s %255s", type, a, b, c, d, e);
	if (strcmp(type, "A") == 0) {
		data = record(p, owner, BP_DNS_A, ttl);
		inet_pton(AF_INET, a, p->bytes + p->size);
		p->size += 4;
	} else if (strcmp(type, "AAAA") == 0) {
		data = record(p, owner, BP_DNS_AAAA, ttl);
		inet_pton(AF_INET6, a, p->bytes + p->size);
		p->size += 16;
	} else if (strcmp(type, "CNAME") == 0) {
		data = record(p, owner, BP_DNS_CNAME, ttl);
		put_name(p, a);
	} else if (strcmp(type, "SRV") == 0) {
		data = record(p, owner, BP_DNS_SRV, ttl);
		put16(p, (unsigned)atoi(a));
		put16(p, (unsigned)atoi(b));
		put16(p, (unsigned)atoi(c));
		put_name(p, strcmp(d, ".") == 0 ? "" : d);
	} else if (strcmp(type, "NAPTR") == 0) {
		const char *texts[] = {c, d, strncmp(e, "!", 1) == 0 ? e : ""};

		data = record(p, owner, BP_DNS_NAPTR, ttl);
		put16(p, (unsigned)atoi(a));
		put16(p, (unsigned)atoi(b));
		for (unsigned i = 0; i < 3; i++) {
			p->bytes[p->size++] = (uint8_t)strlen(texts[i]);
			memcpy(p->bytes + p->size, texts[i], strlen(texts[i]));
			p->size += strlen(texts[i]);
		}
		put_name(p, strncmp(e, "!", 1) == 0 ? "" : e);
	} else {
		data = record(p, owner, BP_DNS_SOA, ttl);
		put_name(p, "ns");
		put_name(p, "root");
		for (unsigned i = 0; i < 4; i++) {
			put16(p, 0);
			put16(p, 0);
		}
		put16(p, 0);
		put16(p, (unsigned)atoi(a));
		end(p, data, 8);
		return;
	}
	end(p, data, 6);
}

static enum bp_dns_outcome
read_packet(const struct packet *p, const char *name, enum bp_dns_type type, struct bp_dns_answer *answer)
{
	uint8_t *copy = malloc(p->size ? p->size : 1); /* of exactly this size: a sanitizer sees a read past it */
	enum bp_dns_outcome outcome;

	memcpy(copy, p->bytes, p->size);
	outcome = bp_dns_answer_read(copy, p->size, name, type, answer);
	free(copy);
	return outcome;
}

static struct bp_dns_answer answer;

static void
test_addresses(void **state)
{
	struct packet p;

	begin(&p, "Host.Example.com", BP_DNS_A, 0);
	add(&p, "host.EXAMPLE.com", 300, "A 192.0.2.1");
	add(&p, "other.example.com", 1, "A 192.0.2.66");
	add(&p, "host.example.com", 60, "A 192.0.2.2");
	assert_int_equal(read_packet(&p, "host.example.com", BP_DNS_A, &answer), BP_DNS_GOOD);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.ttl_s, 60);
	assert_int_equal(answer.records[1].ip.bytes[15], 2);
	for (size_t size = 0; size < p.size; size++) {
		struct packet cut = p;

		cut.size = size;
		assert_int_not_equal(read_packet(&cut, "host.example.com", BP_DNS_A, &answer), BP_DNS_GOOD);
	}
}

static void
test_aliases(void **state)
{
	struct packet p;
	char from[32], to[32];

	begin(&p, "a.example", BP_DNS_AAAA, 0);
	add(&p, "c.example", 500, "AAAA 2001:db8::1");
	add(&p, "b.example", 20, "CNAME c.example");
	add(&p, "a.example", 400, "CNAME b.example");
	assert_int_equal(read_packet(&p, "a.example", BP_DNS_AAAA, &answer), BP_DNS_GOOD);
	assert_int_equal(answer.ttl_s, 20);
	begin(&p, "a.example", BP_DNS_A, 0);
	add(&p, "a.example", 400, "CNAME b.example");
	add(&p, "b.example", 400, "CNAME a.example");
	assert_int_equal(read_packet(&p, "a.example", BP_DNS_A, &answer), BP_DNS_BAD);
	begin(&p, "n0", BP_DNS_A, 0);
	for (unsigned i = 0; i < BP_DNS_ALIASES_MAX + 1; i++) {
		snprintf(from, sizeof(from), "n%u", i);
		snprintf(to, sizeof(to), "CNAME n%u", i + 1);
		add(&p, from, 400, to);
	}
	add(&p, "n9", 400, "A 192.0.2.1");
	assert_int_equal(read_packet(&p, "n1", BP_DNS_A, &answer), BP_DNS_GOOD);
	assert_int_equal(read_packet(&p, "n0", BP_DNS_A, &answer), BP_DNS_BAD);
}

static void
test_nothing(void **state)
{
	struct packet p;

	begin(&p, "no.example", BP_DNS_A, 3);
	add(&p, "example", 900, "SOA 120");
	assert_int_equal(read_packet(&p, "no.example", BP_DNS_A, &answer), BP_DNS_NOTHING);
	assert_int_equal(answer.ttl_s, 120);
	begin(&p, "no.example", BP_DNS_A, 0);
	assert_int_equal(read_packet(&p, "no.example", BP_DNS_A, &answer), BP_DNS_NOTHING);
	assert_int_equal(answer.ttl_s, 0);
	begin(&p, "no.example", BP_DNS_A, 2);
	assert_int_equal(read_packet(&p, "no.example", BP_DNS_A, &answer), BP_DNS_FAILED);
}

/* Pointers that lead on or round, labels and names that are too long, data of another size, more than anybody needs. */
static void
test_hostile(void **state)
{
	struct packet p, long_name;
	size_t data;

	begin(&p, "x", BP_DNS_A, 0);
	p.bytes[7] = 1;
	p.bytes[p.size] = 0xc0;
	p.bytes[p.size + 1] = (uint8_t)p.size; /* to itself */
	p.size += 2;
	memset(p.bytes + p.size, 0, 32);
	p.size += 32;
	assert_int_equal(read_packet(&p, "x", BP_DNS_A, &answer), BP_DNS_BAD);
	p.bytes[p.size - 33] = 200; /* ahead */
	assert_int_equal(read_packet(&p, "x", BP_DNS_A, &answer), BP_DNS_BAD);
	begin(&long_name, "x", BP_DNS_SRV, 0);
	data = record(&long_name, "x", BP_DNS_SRV, 60);
	for (unsigned i = 0; i < 3; i++)
		put16(&long_name, 1);
	for (unsigned i = 0; i < 4; i++) {
		long_name.bytes[long_name.size++] = 63;
		memset(long_name.bytes + long_name.size, 'a', 63);
		long_name.size += 63;
	}
	long_name.bytes[long_name.size++] = 0;
	end(&long_name, data, 6);
	assert_int_equal(read_packet(&long_name, "x", BP_DNS_SRV, &answer), BP_DNS_BAD);
	begin(&p, "x", BP_DNS_A, 0);
	data = record(&p, "x", BP_DNS_A, 60);
	put16(&p, 1);
	end(&p, data, 6);
	assert_int_equal(read_packet(&p, "x", BP_DNS_A, &answer), BP_DNS_BAD);
	begin(&p, "x", BP_DNS_A, 0);
	for (unsigned i = 0; i < 200; i++)
		add(&p, "x", 60, "A 192.0.2.1");
	assert_int_equal(read_packet(&p, "x", BP_DNS_A, &answer), BP_DNS_GOOD);
	assert_int_equal(answer.count, BP_DNS_RECORDS_MAX);
	p.bytes[6] = 2; /* 712 of them */
	assert_int_equal(read_packet(&p, "x", BP_DNS_A, &answer), BP_DNS_BAD);
	p.bytes[5] = 0;
	assert_int_equal(read_packet(&p, "x", BP_DNS_A, &answer), BP_DNS_BAD);
}

/* Nothing is read where nothing is, and it comes to an end, whatever the bytes. */
static void
test_any_bytes(void **state)
{
	struct packet good, p;
	uint64_t random = 88172645463325252ull;

	begin(&good, "a.example", BP_DNS_NAPTR, 0);
	add(&good, "a.example", 60, "NAPTR 1 2 s SIP+D2U _sip._udp.b.example");
	add(&good, "a.example", 60, "CNAME b.example");
	add(&good, "b.example", 60, "SRV 1 2 5060 c.example");
	add(&good, "example", 60, "SOA 30");
	for (unsigned i = 0; i < 200000; i++) {
		p = good;
		for (unsigned k = 0; k < 1 + i % 4; k++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			p.bytes[(random >> 8) % p.size] = (uint8_t)random;
		}
		read_packet(&p, "a.example", i % 2 ? BP_DNS_NAPTR : BP_DNS_SRV, &answer);
		assert_true(answer.count <= BP_DNS_RECORDS_MAX);
	}
}

/* ---- RFC 3263 from a zone ---- */

struct zone_line {
	const char *owner, *text;
	unsigned ttl; /* 0: 3600 */
};

static struct world {
	const struct zone_line *zone;
	bool hold;       /* queries are not answered before release() */
	bool dead;       /* or never */
	unsigned asked, held_count;
	char last[300];  /* the queries, in order */
	struct held {
		char name[256];
		enum bp_dns_type type;
		bp_dns_done *done;
		void *argument;
	} held[512];
	struct bp_located result;
	unsigned results;
} w;

static bool
is_type(const char *text, enum bp_dns_type type)
{
	size_t size = strcspn(text, " ");
	const char *name = type == BP_DNS_A ? "A" : type == BP_DNS_AAAA ? "AAAA" : type == BP_DNS_SRV ? "SRV" : "NAPTR";

	return strlen(name) == size && strncmp(text, name, size) == 0;
}

static void
reply(const char *name, enum bp_dns_type type, bp_dns_done *done, void *argument)
{
	struct packet p;
	bool known = false;

	begin(&p, name, type, 0);
	for (const struct zone_line *line = w.zone; line != NULL && line->owner != NULL; line++) {
		if (strcasecmp(line->owner, name) != 0)
			continue;
		known = true;
		if (strcmp(line->text, "FAIL") == 0) {
			done(argument, BP_DNS_FAILED, NULL, 0);
			return;
		}
		if (is_type(line->text, type))
			add(&p, name, line->ttl ? line->ttl : 3600, line->text);
	}
	if (!known)
		begin(&p, name, type, 3);
	done(argument, BP_DNS_GOOD, p.bytes, p.size);
}

static void
query(void *context, const char *name, enum bp_dns_type type, bp_dns_done *done, void *argument)
{
	size_t used = strlen(w.last);

	w.asked++;
	snprintf(w.last + used, sizeof(w.last) - used, "%u:%s ", type, name);
	if (w.dead) {
		done(argument, BP_DNS_FAILED, NULL, 0);
	} else if (w.hold) {
		snprintf(w.held[w.held_count].name, 256, "%s", name);
		w.held[w.held_count].type = type;
		w.held[w.held_count].done = done;
		w.held[w.held_count++].argument = argument;
	} else {
		reply(name, type, done, argument);
	}
}

static void
release(void)
{
	w.hold = false;
	for (unsigned i = 0; i < w.held_count; i++)
		reply(w.held[i].name, w.held[i].type, w.held[i].done, w.held[i].argument);
	w.held_count = 0;
}

static bool
usable(void *context, const struct bp_ip *ip)
{
	return ip->bytes[12] != 127;
}

static const struct bp_locate_options options = {.query = query, .usable = usable, .ipv4 = true, .ipv6 = true};

static void
located(void *argument, const struct bp_located *result)
{
	w.result = *result;
	w.results++;
}

static struct bp_name_key
key_of(const char *host, uint16_t port)
{
	struct bp_name_key key;

	assert_true(bp_name_key_make(&key, host, strlen(host), port));
	return key;
}

/* "4:PORT/PRIORITY/WEIGHT/SERVER ..." : the last byte of each address, and where it is. */
static const char *
locate(const struct zone_line *zone, const char *host, uint16_t port)
{
	static char text[1024];
	struct bp_name_key key = key_of(host, port);
	size_t used = 0;

	memset(&w, 0, sizeof(w));
	w.zone = zone;
	text[0] = '\0';
	assert_int_equal(bp_locate(&options, &key, located, NULL), 0);
	assert_int_equal(w.results, 1);
	for (unsigned i = 0; i < w.result.entry->count; i++) {
		const struct bp_name_target *t = &w.result.entry->targets[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u:%u/%u/%u/%u ", t->ip.bytes[15], t->port,
			t->priority, t->weight, t->server);
	}
	return text;
}

static void
check_located(const char *expected, const struct zone_line *zone, const char *host, uint16_t port,
	enum bp_name_status status)
{
	assert_string_equal(locate(zone, host, port), expected);
	assert_int_equal(w.result.entry->status, status);
	free(w.result.entry);
}

static const struct zone_line full[] = {
	{"example.com", "NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com"},
	{"example.com", "NAPTR 90 50 s SIP+D2T _sip._tcp.example.com"},
	{"example.com", "NAPTR 100 60 s SIP+D2U _sip._udp.worse.example.com"},
	{"example.com", "NAPTR 100 50 S sip+d2u _sip._udp.elsewhere.net", 900},
	{"example.com", "NAPTR 10 10 u SIP+D2U !.*!sip:x@y!"},
	{"example.com", "A 192.0.2.99"},
	{"_sip._udp.elsewhere.net", "SRV 20 5 5062 c.elsewhere.net"},
	{"_sip._udp.elsewhere.net", "SRV 10 7 5060 a.elsewhere.net"},
	{"_sip._udp.elsewhere.net", "SRV 10 0 5061 b.elsewhere.net"},
	{"a.elsewhere.net", "A 192.0.2.1"},
	{"a.elsewhere.net", "A 192.0.2.2", 77},
	{"a.elsewhere.net", "AAAA 2001:db8::3"},
	{"b.elsewhere.net", "A 192.0.2.4"},
	{"c.elsewhere.net", "A 192.0.2.5"},
	{NULL, NULL, 0},
};

static void
test_naptr_srv_addresses(void **state)
{
	assert_string_equal(locate(full, "example.com", 0),
		"4:5061/10/0/0 3:5060/10/7/1 1:5060/10/7/1 2:5060/10/7/1 5:5062/20/5/2 ");
	assert_int_equal(w.result.ttl_s, 77);
	assert_ptr_equal(strstr(w.last, "35:example.com 33:_sip._udp.elsewhere.net "), w.last);
	free(w.result.entry);
	check_located("99:5070/0/0/0 ", full, "example.com", 5070, BP_NAME_FOUND); /* a port: no NAPTR, no SRV */
	assert_string_equal(w.last, "28:example.com 1:example.com ");
}

static void
test_without_naptr(void **state)
{
	static const struct zone_line srv[] = {{"_sip._udp.x", "SRV 1 1 5080 a.x"}, {"a.x", "A 192.0.2.1"},
		{"x", "NAPTR 1 1 s E2U+mailto _m.x"}, {"x", "A 192.0.2.9"}, {NULL, NULL, 0}};
	static const struct zone_line host[] = {{"x", "A 192.0.2.9"}, {"x", "AAAA 2001:db8::8"}, {NULL, NULL, 0}};
	static const struct zone_line tcp[] = {{"x", "NAPTR 1 1 s SIP+D2T _sip._tcp.x"}, {"x", "A 192.0.2.9"}, {NULL, NULL, 0}};
	static const struct zone_line both[] = {{"x", "NAPTR 1 1 s SIP+D2T _sip._tcp.x"},
		{"_sip._udp.x", "SRV 1 1 5080 a.x"}, {"a.x", "A 192.0.2.1"}, {NULL, NULL, 0}};
	static const struct zone_line off[] = {{"_sip._udp.x", "SRV 0 0 0 ."}, {"x", "A 192.0.2.9"}, {NULL, NULL, 0}};

	check_located("1:5080/1/1/0 ", srv, "x", 0, BP_NAME_FOUND);
	check_located("8:5060/0/0/0 9:5060/0/0/0 ", host, "x", 0, BP_NAME_FOUND);
	check_located("", tcp, "x", 0, BP_NAME_NONE);
	check_located("1:5080/1/1/0 ", both, "x", 0, BP_NAME_FOUND);
	check_located("", off, "x", 0, BP_NAME_NONE); /* RFC 2782: decidedly not available */
	check_located("", NULL, "x", 0, BP_NAME_NONE);
}

static void
test_failures(void **state)
{
	static const struct zone_line naptr[] = {{"x", "FAIL"}, {NULL, NULL, 0}};
	static const struct zone_line srv[] = {{"_sip._udp.x", "FAIL"}, {"x", "A 192.0.2.9"}, {NULL, NULL, 0}};
	static const struct zone_line one[] = {{"_sip._udp.x", "SRV 1 1 5060 a.x"}, {"_sip._udp.x", "SRV 2 1 5060 b.x"},
		{"a.x", "FAIL"}, {"b.x", "A 192.0.2.2"}, {NULL, NULL, 0}};
	static const struct zone_line all[] = {{"_sip._udp.x", "SRV 1 1 5060 a.x"}, {"a.x", "FAIL"}, {NULL, NULL, 0}};
	static const struct zone_line own[] = {{"x", "A 127.0.0.1"}, {"x", "AAAA ::ffff:192.0.2.1"}, {NULL, NULL, 0}};
	char name[254];

	check_located("", naptr, "x", 0, BP_NAME_FAILED);
	check_located("", srv, "x", 0, BP_NAME_FAILED);
	check_located("2:5060/2/1/1 ", one, "x", 0, BP_NAME_FOUND);
	check_located("", all, "x", 0, BP_NAME_FAILED);
	check_located("", own, "x", 0, BP_NAME_NONE);
	memset(name, 'a', sizeof(name));
	for (unsigned i = 50; i < 250; i += 50)
		name[i] = '.';
	name[250] = '\0';
	check_located("", NULL, name, 0, BP_NAME_NONE); /* no room for _sip._udp. before it */
	assert_null(strstr(w.last, "33:"));
}

/* Forty servers: those of the best priorities; each with many addresses: the table's limit. */
static void
test_too_many(void **state)
{
	static struct zone_line zone[1200];
	static char texts[1200][64], names[64][32];
	unsigned n = 0;

	for (unsigned i = 0; i < 30; i++) {
		snprintf(names[i], 32, "s%u.x", i);
		snprintf(texts[n], 64, "SRV %u 1 5060 s%u.x", 100 - i, i);
		zone[n] = (struct zone_line){"_sip._udp.x", texts[n], 0};
		n++;
		for (unsigned k = 0; k < 20; k++, n++) {
			snprintf(texts[n], 64, "A 192.0.%u.%u", i, k);
			zone[n] = (struct zone_line){names[i], texts[n], 0};
		}
	}
	locate(zone, "x", 0);
	assert_int_equal(w.result.entry->count, BP_NAME_TARGETS_MAX);
	assert_int_equal(w.result.entry->targets[0].priority, 71);
	assert_int_equal(w.result.entry->targets[0].ip.bytes[14], 29);
	assert_int_equal(w.asked, 2 + 2 * BP_LOCATE_SERVERS_MAX);
	free(w.result.entry);
}

/* ---- the cache ---- */

static struct bp_name_table_writer writer;
static struct bp_dns_cache *cache;
static struct bp_dns_counters counters;
static uint64_t now_us;

static const struct zone_line plain[] = {{"x", "A 192.0.2.9", 100}, {"y", "A 192.0.2.8", 1}, {NULL, NULL, 0}};

static int
cache_setup(void **state)
{
	struct bp_config_dns config = {.cache = 16,
		.negative_ttl_us = 30000000,
		.min_ttl_us = 5000000,
		.max_ttl_us = 3600000000};

	memset(&w, 0, sizeof(w));
	memset(&counters, 0, sizeof(counters));
	w.zone = plain;
	now_us = 1000000000;
	urcu_qsbr_register_thread();
	return bp_name_table_create(&writer, config.cache, 2) ||
		bp_dns_cache_create(&cache, &config, &writer, &options, &counters, 42);
}

static int
cache_teardown(void **state)
{
	bp_dns_cache_free(cache);
	bp_name_table_reclaim(&writer);
	bp_name_table_free(&writer);
	urcu_qsbr_unregister_thread();
	return 0;
}

/* FOUND, NONE, FAILED, or WAITS: nothing is known. Whoever looks uses it. */
static enum bp_name_status
known(const char *host)
{
	struct bp_name_key key = key_of(host, 0);
	struct bp_name_entry *entry = bp_name_find(writer.table, &key);

	return entry ? (enum bp_name_status)entry->status : BP_NAME_WAITS;
}

static void
ask(const char *host, bool pin)
{
	struct bp_name_key key = key_of(host, 0);

	bp_dns_cache_ask(cache, &key, pin, now_us);
}

static void
pass(unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 10; i++) {
		now_us += 100000;
		bp_dns_cache_tick(cache, now_us);
	}
	bp_name_table_reclaim(&writer);
}

static void
test_time_to_live(void **state)
{
	uint64_t news = atomic_load(&writer.table->news);

	ask("x", false);
	ask("x", false);
	assert_int_equal(w.asked, 4); /* NAPTR SRV AAAA A, once */
	assert_true(atomic_load(&writer.table->news) != news);
	assert_int_equal(known("x"), BP_NAME_FOUND);
	pass(74);
	assert_int_equal(w.asked, 4);
	pass(22); /* used: asked again before its time is over */
	assert_int_equal(w.asked, 8);
	assert_int_equal(counters.refreshed, 1);
	assert_int_equal(writer.count, 1);
	pass(120); /* nobody uses it any more */
	assert_int_equal(w.asked, 8);
	assert_int_equal(known("x"), BP_NAME_WAITS);
	assert_int_equal(writer.count, 0);
	assert_int_equal(counters.entries, 0);
	ask("y", false);
	pass(4); /* dns.min_ttl */
	assert_int_equal(known("y"), BP_NAME_FOUND);
}

static void
test_negative(void **state)
{
	ask("none", false);
	assert_int_equal(known("none"), BP_NAME_NONE);
	pass(29);
	assert_int_equal(known("none"), BP_NAME_NONE);
	pass(2);
	assert_int_equal(known("none"), BP_NAME_WAITS);
	w.dead = true;
	ask("x", false);
	assert_int_equal(known("x"), BP_NAME_FAILED);
	pass(6);
	assert_int_equal(known("x"), BP_NAME_WAITS);
}

/* No server answers any more: what is known is good for as long as it lives; asked again meanwhile. */
static void
test_servers_die(void **state)
{
	ask("x", true);
	w.dead = true;
	pass(99);
	assert_true(w.asked > 4);
	assert_int_equal(known("x"), BP_NAME_FOUND);
	pass(10);
	assert_int_not_equal(known("x"), BP_NAME_FOUND);
	w.dead = false;
	pass(10);
	assert_int_equal(known("x"), BP_NAME_FOUND);
	pass(1000); /* pinned: for ever, used or not */
	assert_int_equal(known("x"), BP_NAME_FOUND);
}

/* A refresh that takes longer than its entry lives. */
static void
test_servers_are_slow(void **state)
{
	ask("x", true);
	w.hold = true;
	pass(101);
	assert_int_equal(known("x"), BP_NAME_WAITS);
	release();
	assert_int_equal(known("x"), BP_NAME_FOUND);
}

static void
test_bounded(void **state)
{
	char name[16];

	ask("x", true);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ask(name, false);
	}
	assert_int_equal(counters.entries, 16);
	assert_int_equal(writer.count, 16);
	assert_int_equal(counters.evicted, 985);
	assert_int_equal(known("x"), BP_NAME_FOUND);
	assert_int_equal(known("n999"), BP_NAME_NONE);
	w.hold = true;
	pass(40); /* those that nobody uses are gone; a slot that is being resolved stays */
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		ask(name, false);
	}
	assert_int_equal(counters.entries, 16);
	assert_int_equal(counters.resolving, 15);
	assert_int_equal(counters.full, 5);
	release();
	assert_int_equal(counters.resolving, 0);
}

static void
test_questions(void **state)
{
	struct bp_name_key key = key_of("x", 7), taken;
	unsigned turn = 0;

	for (unsigned i = 0; i < BP_NAME_RING_SIZE; i++)
		assert_true(bp_name_ask(writer.table, 0, &key));
	assert_false(bp_name_ask(writer.table, 0, &key)); /* full: never waited for */
	assert_false(bp_name_ask(writer.table, 2, &key));
	key = key_of("other", 0);
	assert_true(bp_name_ask(writer.table, 1, &key));
	assert_true(bp_name_table_question(&writer, &turn, &taken));
	assert_true(bp_name_table_question(&writer, &turn, &taken)); /* each worker has its turn */
	assert_true(bp_name_key_equal(&taken, &key));
	for (unsigned i = 1; i < BP_NAME_RING_SIZE; i++)
		assert_true(bp_name_table_question(&writer, &turn, &taken));
	assert_int_equal(taken.port, 7);
	assert_false(bp_name_table_question(&writer, &turn, &taken));
}

static void
test_keys(void **state)
{
	static const char *const good[] = {"a", "A.b-c.D_e", "a.", "1.2", "_sip._udp.x"};
	static const char *const bad[] = {"", ".", ".a", "a..b", "a b", "a\n", "a/b", "\xc3\xa4"};
	struct bp_name_key key, other;
	char name[300];

	for (unsigned i = 0; i < 5; i++)
		assert_true(bp_name_key_make(&key, good[i], strlen(good[i]), 0));
	for (unsigned i = 0; i < 8; i++)
		assert_false(bp_name_key_make(&key, bad[i], strlen(bad[i]), 0));
	assert_true(bp_name_key_make(&key, "Example.COM.", 12, 5));
	assert_true(bp_name_key_make(&other, "example.com", 11, 5));
	assert_true(bp_name_key_equal(&key, &other));
	other.port = 6;
	assert_false(bp_name_key_equal(&key, &other));
	for (unsigned i = 0; i < sizeof(name); i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	assert_true(bp_name_key_make(&key, name, 253, 0));
	assert_false(bp_name_key_make(&key, name, 254, 0));
	memset(name, 'a', sizeof(name));
	assert_true(bp_name_key_make(&key, name, 63, 0));
	assert_false(bp_name_key_make(&key, name, 64, 0));
}

#define cache_test(f) cmocka_unit_test_setup_teardown(f, cache_setup, cache_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_naptr_srv_addresses),
		cmocka_unit_test(test_without_naptr),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_too_many),
		cache_test(test_time_to_live),
		cache_test(test_negative),
		cache_test(test_servers_die),
		cache_test(test_servers_are_slow),
		cache_test(test_bounded),
		cache_test(test_questions),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
