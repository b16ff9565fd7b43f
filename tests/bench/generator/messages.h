/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the caller and the callee say of themselves: the same text to write their messages and to check what comes
 * back. "%s" is the host of the Request-URI.
 */
#ifndef BYEPASS_BENCH_MESSAGES_H
#define BYEPASS_BENCH_MESSAGES_H

#include "generator/state.h"

#define CALLER_USER "15559870001"
#define CALLEE_USER "15551230001"
#define FROM_URI "<sip:" CALLER_USER "@caller.invalid>"
#define FROM_TAG "f" NUMBER
#define TO_TAG "t" NUMBER
#define CALLER_CONTACT "<sip:" CALLER_USER "@" SOURCE ">"
#define CALLEE_CONTACT_URI "sip:" CALLEE_USER "@" TRUNK
#define CALLEE_CONTACT "<" CALLEE_CONTACT_URI ">"
#define VIA "SIP/2.0/UDP " SOURCE ";branch=" BRANCH
#define BRANCH "z9hG4bKg" NUMBER /* and the letter of the request's kind */
#define EXPIRES "3600"

/* The letter that ends the branch of the caller's request: that of the INVITE for its CANCEL, and the ACK to its final
 * response. */
char branch_letter(enum gen_kind kind);

/* The Request-URI of the caller's initial requests. */
void request_uri(const struct gen *gen, enum gen_kind kind, char *out, size_t size);
/* The To URI with its brackets. */
void to_uri(const struct gen *gen, enum gen_kind kind, char *out, size_t size);
unsigned cseq_of(enum gen_kind kind);
const char *method_of(enum gen_kind kind);

/* Makes SDP and the templates that depend on nobody. Returns 0 or -EINVAL with @error. */
int messages_create(struct gen *gen, char *error);
void message_begin(const struct gen *gen, struct builder *builder, struct template *template, enum gen_kind kind);
/* The caller's Via and Max-Forwards. */
void put_request_head(struct gen *gen, struct builder *builder, enum gen_kind kind);
/* Its From, Call-ID and CSeq. */
void put_dialog_lines(struct gen *gen, struct builder *builder, enum gen_kind kind);

#endif
