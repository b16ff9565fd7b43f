/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SIP as text, for tests: reads and changes well-formed messages as strings. Written apart from the
 * parser under test, and naive on purpose. All results live in one arena until text_free_all().
 */
#ifndef BYEPASS_TESTS_FLOWS_TEXT_H
#define BYEPASS_TESTS_FLOWS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

char *text_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_copy(const void *bytes, size_t size);
void text_free_all(void);

/* NULL for a response. */
const char *text_method(const char *message);
/* Request-URI. */
const char *text_uri(const char *message);
/* 0 for a request. */
unsigned text_status(const char *message);
const char *text_cseq_method(const char *message);
unsigned text_cseq(const char *message);
const char *text_body(const char *message);

/* The @n-th element (from 0) of a comma-separated header over all its lines, or NULL. */
const char *text_value(const char *message, const char *name, unsigned n);
unsigned text_count(const char *message, const char *name);
/* The whole value of the first line of a header, or NULL. */
const char *text_header(const char *message, const char *name);
/* A parameter of a header value: NULL when absent, "" when without value. */
const char *text_param(const char *value, const char *name);
/* The URI of a name-addr or addr-spec, without brackets. */
const char *text_address(const char *value);
/* Parts of a SIP URI; the user is "" when there is none. */
const char *text_uri_user(const char *uri);
const char *text_uri_hostport(const char *uri);
const char *text_uri_param(const char *uri, const char *name);
/* sent-by of a Via value. */
const char *text_sent_by(const char *via);
const char *text_tag(const char *message, const char *name);

/* Changed copies. */
const char *text_set(const char *message, const char *name, const char *value); /* first line, or a new one */
const char *text_delete(const char *message, const char *name);                 /* all lines */
const char *text_add(const char *message, const char *line);                    /* after the last header */
const char *text_add_first(const char *message, const char *line);              /* before the first header */
const char *text_set_uri(const char *message, const char *uri);
const char *text_set_method(const char *message, const char *method); /* start line and CSeq */
const char *text_swap(
	const char *message, const char *from, const char *to); /* first occurrence; must be there */
const char *text_set_body(const char *message, const char *type, const char *body);

#endif
