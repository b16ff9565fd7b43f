/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Call detail records in control: lines, files, the queue; with a disk that fails when it is told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cdr/files.h"
#include "cdr/format.h"
#include "cdr/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UTC_US 1763800100123456 /* 2025-11-22T08:28:20.123Z */

/* ---- a disk that can be told to fail ---- */

static struct {
	size_t room;         /* bytes that it still takes */
	unsigned slow;       /* writes of at most so many bytes; 0: any */
	_Atomic int stopped; /* writes wait while it is set */
	_Atomic unsigned fsyncs, renames, errors;
	int open_error;
} disk;

static int
disk_open(const char *path, int flags, mode_t mode)
{
	if (disk.open_error != 0) {
		errno = disk.open_error;
		return -1;
	}
	return open(path, flags, mode);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static ssize_t
disk_write(int fd, const void *bytes, size_t size)
{
	ssize_t count;

	pthread_mutex_lock(&gate); /* held by a test: the disk hangs */
	pthread_mutex_unlock(&gate);
	if (disk.slow != 0 && size > disk.slow)
		size = disk.slow;
	if (size > disk.room)
		size = disk.room;
	if (size == 0) {
		disk.errors++;
		errno = ENOSPC;
		return -1;
	}
	count = write(fd, bytes, size);
	disk.room -= (size_t)count;
	return count;
}

static int
disk_fsync(int fd)
{
	disk.fsyncs++;
	return 0;
}

static int
disk_rename(const char *from, const char *to)
{
	disk.renames++;
	return rename(from, to);
}

static const struct bp_cdr_io io = {disk_open, disk_write, disk_fsync, disk_rename};

/* ---- a folder ---- */

static char folder[64];

static int
setup(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/byepass-cdr-XXXXXX");
	memset(&disk, 0, sizeof(disk));
	disk.room = SIZE_MAX;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

/* Calls @each for all files, sorted by name. */
static unsigned
each_file(void (*each)(const char *path, void *context), void *context)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);
	unsigned files = 0;

	for (int i = 0; i < count; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.') {
			if (each != NULL)
				each(path, context);
			files++;
		}
		free(entries[i]);
	}
	free(entries);
	return files;
}

static void
remove_file(const char *path, void *context)
{
	unlink(path);
}

static int
teardown(void **state)
{
	each_file(remove_file, NULL);
	return rmdir(folder);
}

static void
append_file(const char *path, void *context)
{
	FILE *in = fopen(path, "r");
	char **text = context;
	size_t size = *text ? strlen(*text) : 0, more;

	assert_non_null(in);
	*text = realloc(*text, size + (1 << 20));
	more = fread(*text + size, 1, (1 << 20) - 1, in);
	(*text)[size + more] = '\0';
	fclose(in);
	assert_null(strstr(path, ".part"));
}

/* All that is in files with a name, one behind the other. */
static char *
all_text(void)
{
	char *text = calloc(1, 1);

	each_file(append_file, &text);
	return text;
}

static unsigned
lines_of(const char *text)
{
	unsigned count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static struct bp_config
config_of(enum bp_cdr_format format)
{
	struct bp_config config = {.node_id = 7, .timers.t1_us = 500000};

	snprintf(config.cdr.folder, sizeof(config.cdr.folder), "%s", folder);
	config.cdr.format = format;
	config.cdr.rotate_size = 1 << 20;
	config.cdr.rotate_age_us = 3600000000;
	config.cdr.fsync_us = BP_CDR_FSYNC_BATCH;
	config.cdr.queue = 1000;
	return config;
}

/* ---- a record ---- */

static struct bp_cdr *
record_of(const char *const texts[BP_CDR_TEXT_COUNT])
{
	struct bp_cdr *cdr = calloc(1, sizeof(*cdr) + BP_CDR_TEXT_COUNT * BP_CDR_TEXT_MAX);
	char *at = (char *)(cdr + 1);

	for (unsigned i = 0; i < BP_CDR_TEXT_COUNT; i++) {
		cdr->sizes[i] = (uint8_t)strlen(texts[i]);
		memcpy(at, texts[i], cdr->sizes[i]);
		at += cdr->sizes[i];
	}
	cdr->serial = 42;
	cdr->attempt = 0xabcdef;
	cdr->start_us = 1000000;
	atomic_store(&cdr->ring_us, 1250000);
	cdr->answer_us = 3000000;
	cdr->end_us = 63000999;
	cdr->source = (struct bp_flow){.ip = bp_ip_from_v4("\xc0\x00\x02\x0a"), .port = 5060};
	cdr->status = 200;
	cdr->kind = BP_CDR_DIALOG;
	cdr->why = BP_CDR_FAILURE_COUNT + BP_DIALOG_END_bye;
	cdr->ended_by = BP_CDR_BY_callee;
	return cdr;
}

static const char *const plain[BP_CDR_TEXT_COUNT] = {
	"call-1@alice", "sip:+4930123@example.com", "sip:bob@example.com", "sip:bob@10.0.0.2", "", "access", "core", "north"};

static struct bp_cdr *
plain_record(uint64_t serial)
{
	struct bp_cdr *cdr = record_of(plain);

	cdr->serial = serial;
	cdr->users[0][0] = 4;
	cdr->users[0][1] = 8;
	return cdr;
}

static const struct bp_cdr_place place = {
	.offset_us = UTC_US - 1000000, .node = 7, .started_us = 0x10, .trunk_in = "east"};

static void
check_string(json_t *json, const char *key, const char *wanted)
{
	assert_string_equal(json_string_value(json_object_get(json, key)), wanted);
}

static json_t *
parsed(const struct bp_cdr *cdr)
{
	static char line[BP_CDR_LINE_MAX];
	size_t size = bp_cdr_format(BP_CDR_JSON, cdr, &place, line);
	json_error_t error;
	json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);

	assert_in_range(size, 1, BP_CDR_LINE_MAX);
	assert_ptr_equal(memchr(line, '\n', size), line + size - 1);
	if (json == NULL)
		fail_msg("%s: %.*s", error.text, (int)size, line);
	return json;
}

static void
json_line(void **state)
{
	struct bp_cdr *cdr = plain_record(42);
	json_t *json;

	atomic_store(&cdr->races, 1u << BP_CDR_RACE_bye_glare | 1u << BP_CDR_RACE_cancel_before_1xx);
	json = parsed(cdr);
	check_string(json, "id", "7-10-0-42");
	check_string(json, "kind", "dialog");
	check_string(json, "start", "2025-11-22T08:28:20.123Z");
	check_string(json, "ring", "2025-11-22T08:28:20.373Z");
	check_string(json, "answer", "2025-11-22T08:28:22.123Z");
	check_string(json, "end", "2025-11-22T08:29:22.124Z");
	assert_int_equal(json_integer_value(json_object_get(json, "pdd_ms")), 250);
	assert_int_equal(json_integer_value(json_object_get(json, "duration_ms")), 60000);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 200);
	check_string(json, "calling", "+4930123");
	check_string(json, "called", "");
	check_string(json, "source", "192.0.2.10:5060");
	check_string(json, "target", "");
	check_string(json, "trunk_in", "east");
	check_string(json, "trunk_out", "north");
	check_string(json, "why", "bye");
	check_string(json, "ended_by", "callee");
	assert_int_equal(json_array_size(json_object_get(json, "races")), 2);
	json_decref(json);
	cdr->kind = BP_CDR_ATTEMPT;
	cdr->answer_us = 0;
	atomic_store(&cdr->ring_us, 0);
	json = parsed(cdr);
	assert_true(json_is_null(json_object_get(json, "answer")));
	assert_true(json_is_null(json_object_get(json, "duration_ms")));
	assert_int_equal(json_integer_value(json_object_get(json, "pdd_ms")), 62000);
	json_decref(json);
	free(cdr);
}

/* Every byte sequence is somebody's number. */
static void
hostile_texts(void **state)
{
	static const char *const evil[] = {"\"},{\"x\":\"", "\\", "a\\\"b", "\x01\x1f\x7f\t\r\n", "\xff\xfe", "\xc3\x28",
		"\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "gr\xc3\xbc n \xe2\x82\xac \xf0\x9f\x98\x80"};
	const char *texts[BP_CDR_TEXT_COUNT];

	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct bp_cdr *cdr;

		for (unsigned k = 0; k < BP_CDR_TEXT_COUNT; k++)
			texts[k] = evil[i];
		cdr = record_of(texts);
		json_decref(parsed(cdr));
		free(cdr);
	}
	texts[0] = "gr\xc3\xbc\xc3\x9f" "e";
	texts[1] = "a\xff\"\\\x01";
	{
		struct bp_cdr *cdr = record_of(texts);
		json_t *json = parsed(cdr);

		check_string(json, "call_id", "gr\xc3\xbc\xc3\x9f" "e");
		check_string(json, "from", "a\xef\xbf\xbd\"\\\x01");
		json_decref(json);
		free(cdr);
	}
}

/* The longest that there can be fits. */
static void
longest_line(void **state)
{
	static char line[BP_CDR_LINE_MAX + 1];
	char text[BP_CDR_TEXT_MAX + 1];
	const char *texts[BP_CDR_TEXT_COUNT];
	struct bp_cdr *cdr;

	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned k = 0; k < BP_CDR_TEXT_COUNT; k++)
		texts[k] = text;
	cdr = record_of(texts);
	cdr->reason_size = BP_CDR_REASON_MAX;
	memset(cdr->reason, 2, sizeof(cdr->reason));
	for (unsigned k = 0; k < BP_CDR_URIS; k++)
		cdr->users[k][1] = BP_CDR_TEXT_MAX;
	atomic_store(&cdr->races, UINT32_MAX);
	cdr->why = BP_CDR_WHY_COUNT - 1;
	cdr->serial = cdr->attempt = UINT64_MAX;
	line[BP_CDR_LINE_MAX] = 'x';
	assert_in_range(bp_cdr_format(BP_CDR_JSON, cdr, &place, line), 15000, BP_CDR_LINE_MAX - 1);
	assert_int_equal(line[BP_CDR_LINE_MAX], 'x');
	json_decref(parsed(cdr));
	free(cdr);
}

/* RFC 4180: quoted, quotes doubled, one line, as many fields as names. */
static void
csv_line(void **state)
{
	static const char *const texts[BP_CDR_TEXT_COUNT] = {
		"a,\"b\"\r\nc", "\xff,=1+1", "", "sip:x", "", "access", "core", "north"};
	struct bp_cdr *cdr = record_of(texts);
	static char line[BP_CDR_LINE_MAX];
	size_t size = bp_cdr_format(BP_CDR_CSV, cdr, &place, line);
	unsigned commas = 0, names = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		quoted ^= line[i] == '"';
		commas += line[i] == ',' && !quoted;
	}
	for (const char *c = bp_cdr_head(BP_CDR_CSV); *c != '\0'; c++)
		names += *c == ',';
	assert_false(quoted);
	assert_int_equal(commas, names);
	assert_int_equal(names, 28);
	line[size] = '\0';
	assert_non_null(strstr(line, ",\"a,\"\"b\"\"  c\","));
	assert_non_null(strstr(line, ",\"\xef\xbf\xbd,=1+1\","));
	assert_string_equal(line + size - 2, "\r\n");
	assert_ptr_equal(strchr(line, '\n'), line + size - 1);
	free(cdr);
}

/* ---- files ---- */

static struct bp_cdr_files *
open_files(const struct bp_config *config)
{
	struct bp_cdr_files *files = NULL;
	char error[256];

	assert_int_equal(bp_cdr_files_open(&files, &config->cdr, 7, &io, UTC_US, error, sizeof(error)), 0);
	return files;
}

static void
rotation_by_size(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_files *files;
	char *text;

	config.cdr.rotate_size = 10;
	files = open_files(&config);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(bp_cdr_files_write(files, "12345\n", 6, UTC_US), 6);
		bp_cdr_files_tick(files, UTC_US);
	}
	assert_int_equal(bp_cdr_files_finished(files), 3);
	assert_int_equal(each_file(NULL, NULL), 3);
	bp_cdr_files_close(files);
	text = all_text();
	assert_int_equal(lines_of(text), 6);
	free(text);
}

static void
find_name(const char *path, void *context)
{
	assert_non_null(strstr(path, "/cdr-7-20251122T082820123Z-000001.jsonl"));
	*(bool *)context = strstr(path, ".part") != NULL;
}

static void
rotation_by_age(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_files *files = open_files(&config);
	bool part;

	assert_true(bp_cdr_files_tick(files, UTC_US) == UINT64_MAX);
	bp_cdr_files_write(files, "12345\n", 6, UTC_US);
	assert_true(bp_cdr_files_tick(files, UTC_US) == UTC_US + config.cdr.rotate_age_us);
	each_file(find_name, &part);
	assert_true(part);
	bp_cdr_files_tick(files, UTC_US + config.cdr.rotate_age_us - 1);
	each_file(find_name, &part);
	assert_true(part);
	bp_cdr_files_tick(files, UTC_US + config.cdr.rotate_age_us);
	each_file(find_name, &part);
	assert_false(part);
	/* a clock that is set back ends the file, too */
	bp_cdr_files_write(files, "12345\n", 6, UTC_US);
	bp_cdr_files_tick(files, UTC_US - 1);
	assert_int_equal(bp_cdr_files_finished(files), 2);
	bp_cdr_files_close(files);
}

static void
fsync_policies(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_files *files;
	const uint64_t later_us = UTC_US + 250000;

	files = open_files(&config);
	bp_cdr_files_write(files, "1\n", 2, UTC_US);
	bp_cdr_files_tick(files, UTC_US);
	assert_int_equal(disk.fsyncs, 1);
	bp_cdr_files_tick(files, UTC_US); /* nothing new */
	assert_int_equal(disk.fsyncs, 1);
	bp_cdr_files_close(files);
	assert_int_equal(disk.fsyncs, 3); /* the file, then the folder */

	disk.fsyncs = 0;
	config.cdr.fsync_us = 200000;
	files = open_files(&config);
	bp_cdr_files_write(files, "1\n", 2, later_us);
	assert_true(bp_cdr_files_tick(files, later_us) == later_us + 200000);
	assert_int_equal(disk.fsyncs, 0);
	bp_cdr_files_write(files, "1\n", 2, later_us + 100000);
	assert_true(bp_cdr_files_tick(files, later_us + 100000) == later_us + 200000);
	bp_cdr_files_tick(files, later_us + 200000);
	assert_int_equal(disk.fsyncs, 1);
	bp_cdr_files_close(files);

	disk.fsyncs = 0;
	config.cdr.fsync_us = BP_CDR_FSYNC_NEVER;
	files = open_files(&config);
	bp_cdr_files_write(files, "1\n", 2, later_us + 1000000);
	assert_true(bp_cdr_files_tick(files, later_us + 1000000) == later_us + 1000000 + config.cdr.rotate_age_us);
	bp_cdr_files_close(files);
	assert_int_equal(disk.fsyncs, 0);
}

/* The rest of a line comes when there is room again. */
static void
full_disk(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_files *files = open_files(&config);
	char *text;

	disk.room = 8;
	assert_int_equal(bp_cdr_files_write(files, "12345\n67890\n", 12, UTC_US), 8);
	assert_int_equal(bp_cdr_files_error(files), -ENOSPC);
	assert_int_equal(bp_cdr_files_error(files), 0);
	disk.room = 100;
	disk.slow = 3;
	assert_int_equal(bp_cdr_files_write(files, "890\nabcde\n", 10, UTC_US), 10);
	disk.room = 4;
	assert_int_equal(bp_cdr_files_write(files, "never\n", 6, UTC_US), 4);
	bp_cdr_files_close(files);
	text = all_text();
	assert_string_equal(text, "12345\n67890\nabcde\n");
	free(text);
}

static void
no_file_to_be_had(void **state)
{
	struct bp_config config = config_of(BP_CDR_CSV);
	struct bp_cdr_files *files = open_files(&config);

	disk.open_error = EDQUOT;
	assert_int_equal(bp_cdr_files_write(files, "1\n", 2, UTC_US), 0);
	assert_int_equal(bp_cdr_files_error(files), -EDQUOT);
	disk.open_error = 0;
	disk.room = 5; /* not even for the line of names */
	assert_int_equal(bp_cdr_files_write(files, "1\n", 2, UTC_US), 0);
	assert_int_equal(each_file(NULL, NULL), 0);
	disk.room = SIZE_MAX;
	assert_int_equal(bp_cdr_files_write(files, "1\n", 2, UTC_US), 2);
	bp_cdr_files_close(files);
	assert_int_equal(each_file(NULL, NULL), 1);
}

static void
leave(const char *name, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* What a crash left: whole lines stay, the torn one goes, others' files are not touched. */
static void
after_a_crash(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	static char filler[10001];
	struct bp_cdr_files *files, *other;
	char *text;

	memset(filler, 'x', sizeof(filler) - 1);
	leave("cdr-7-a.jsonl.part", "1\n2\n{\"torn");
	leave("cdr-7-b.jsonl.part", "whole\n");
	leave("cdr-7-c.jsonl.part", "torn");
	leave("cdr-7-d.jsonl.part", "");
	leave("cdr-7-e.jsonl.part", filler);
	files = open_files(&config);
	assert_int_equal(each_file(NULL, NULL), 2);
	text = all_text();
	assert_string_equal(text, "1\n2\nwhole\n");
	free(text);
	bp_cdr_files_write(files, "mine\n", 5, UTC_US);
	leave("cdr-71-a.jsonl.part", "another node's");
	other = open_files(&config); /* the same node twice: what is being written is not taken away */
	bp_cdr_files_close(other);
	assert_int_equal(each_file(NULL, NULL), 4);
	bp_cdr_files_close(files);
	assert_int_equal(bp_cdr_files_open(&files, &(struct bp_config_cdr){.folder = "/nowhere/cdr"}, 7, NULL, UTC_US,
				 filler, sizeof(filler)), -ENOENT);
	assert_string_equal(filler, "cdr.folder /nowhere/cdr: No such file or directory");
	unlink(strcat(strcpy(filler, folder), "/cdr-71-a.jsonl.part"));
}

/* ---- the writer ---- */

static struct bp_cdr_writer *
start(struct bp_config *config)
{
	struct bp_cdr_writer *writer = NULL;
	char error[256];

	assert_int_equal(bp_cdr_writer_start(&writer, config, 1, &io, error, sizeof(error)), 0);
	return writer;
}

static void
put_many(struct bp_cdr_writer *writer, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct bp_cdr *cdr = plain_record(first + i);

		bp_cdr_writer_put(writer, cdr, UTC_US);
		free(cdr);
	}
}

static unsigned
check_lines(const char *text)
{
	unsigned count = 0;

	for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, count++) {
		json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);

		assert_non_null(json);
		json_decref(json);
	}
	return count;
}

static void
writes_all(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_writer *writer = start(&config);
	char *text;

	put_many(writer, 1, 900);
	bp_cdr_writer_stop(writer);
	text = all_text();
	assert_int_equal(check_lines(text), 900);
	assert_non_null(strstr(text, "-900\""));
	free(text);
}

/* The disk hangs: the queue fills up, further records are lost and counted, and put() has come back each time. */
static void
hanging_disk(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_writer *writer;
	struct bp_cdr_stats stats;
	char *text;

	config.cdr.queue = 50;
	writer = start(&config);
	pthread_mutex_lock(&gate);
	put_many(writer, 1, 80);
	bp_cdr_writer_stats(writer, &stats);
	assert_int_equal(stats.lost, 30);
	assert_int_equal(stats.waiting, 50);
	pthread_mutex_unlock(&gate);
	bp_cdr_writer_stop(writer);
	text = all_text();
	assert_int_equal(check_lines(text), 50);
	free(text);
}

/* The disk is full to the end: whole lines are kept, the rest is lost and counted. */
static void
full_to_the_end(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_writer *writer = start(&config);
	char *text;

	disk.room = 2500;
	put_many(writer, 1, 100);
	bp_cdr_writer_stop(writer);
	text = all_text();
	assert_in_range(check_lines(text), 2, 5);
	free(text);
}

/* The edge keeps nothing of a refusal, so it says it again when the request comes again. */
static void
refused_again(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_cdr_writer *writer = start(&config);
	struct bp_cdr *cdr = plain_record(1);
	char *text;

	cdr->kind = BP_CDR_ATTEMPT;
	cdr->why = BP_CDR_WHY_refused;
	cdr->attempt = 5;
	for (unsigned i = 0; i < 3; i++) {
		cdr->end_us += 1000000;
		bp_cdr_writer_put(writer, cdr, UTC_US);
	}
	cdr->attempt = 6;
	bp_cdr_writer_put(writer, cdr, UTC_US);
	cdr->attempt = 5;
	cdr->end_us += 64 * config.timers.t1_us; /* by then it is another */
	bp_cdr_writer_put(writer, cdr, UTC_US);
	cdr->why = BP_CDR_WHY_rejected;
	bp_cdr_writer_put(writer, cdr, UTC_US);
	bp_cdr_writer_put(writer, cdr, UTC_US);
	bp_cdr_writer_stop(writer);
	text = all_text();
	assert_int_equal(check_lines(text), 5);
	free(text);
	free(cdr);
}

static void
trunk_of_the_sender(void **state)
{
	struct bp_config config = config_of(BP_CDR_JSON);
	struct bp_config_realm realms[2] = {{.name = "access"}, {.name = "core"}};
	struct bp_config_target target = {.flow = {.ip = bp_ip_from_v4("\xc0\x00\x02\x0a"), .port = 5070}};
	struct bp_config_trunk trunks[2] = {{.name = "wrong", .realm = 1, .target_count = 1, .targets = &target},
		{.name = "right", .realm = 0, .target_count = 1, .targets = &target}};
	struct bp_cdr_writer *writer;
	char *text;

	config.realms = realms;
	config.realm_count = 2;
	config.trunks = trunks;
	config.trunk_count = 2;
	writer = start(&config);
	put_many(writer, 1, 1);
	bp_cdr_writer_stop(writer);
	text = all_text();
	assert_non_null(strstr(text, "\"trunk_in\":\"right\""));
	free(text);
}

#define cdr_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cdr_test(json_line),
		cdr_test(hostile_texts),
		cdr_test(longest_line),
		cdr_test(csv_line),
		cdr_test(rotation_by_size),
		cdr_test(rotation_by_age),
		cdr_test(fsync_policies),
		cdr_test(full_disk),
		cdr_test(no_file_to_be_had),
		cdr_test(after_a_crash),
		cdr_test(writes_all),
		cdr_test(hanging_disk),
		cdr_test(full_to_the_end),
		cdr_test(refused_again),
		cdr_test(trunk_of_the_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
