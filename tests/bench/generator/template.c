/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Building templates. See template.h.
 */
#include "generator/template.h"

#include <stdarg.h>
#include <stdio.h>

void
builder_begin(struct builder *builder, struct template *template, enum gen_kind kind)
{
	memset(template, 0, sizeof(*template));
	template->kind = (uint8_t)kind;
	builder->template = template;
	builder->at = HEADERS_SIZE;
	builder->failed = false;
}

void
builder_bytes(struct builder *builder, const void *bytes, uint32_t size)
{
	if (builder->failed || builder->at + size > HEADERS_SIZE + MESSAGE_MAX) {
		builder->failed = true;
		return;
	}
	if (size > 0) /* of nothing there is no address */
		memcpy(builder->template->frame + builder->at, bytes, size);
	builder->at += size;
}

void
builder_text(struct builder *builder, const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= sizeof(text))
		builder->failed = true;
	else
		builder_bytes(builder, text, (uint32_t)size);
}

void
builder_field(struct builder *builder, enum field_kind kind, uint32_t size, uint32_t kept)
{
	struct template *template = builder->template;

	if (builder->failed || builder->at + size > HEADERS_SIZE + MESSAGE_MAX ||
		template->number_count == TEMPLATE_PATCHES_MAX || template->patch_count == TEMPLATE_PATCHES_MAX) {
		builder->failed = true;
		return;
	}
	if (kind == FIELD_NUMBER)
		template->numbers[template->number_count++] = (uint16_t)builder->at;
	else
		template->patches[template->patch_count++] =
			(struct patch){(uint16_t)builder->at, (uint16_t)size, (uint16_t)kept, (uint8_t)kind};
	builder->at += size;
}

static void
put_place(struct builder *builder, enum field_kind kind, const struct place *first, bool more)
{
	if (more)
		builder_field(builder, kind, first->text_size, 0);
	else
		builder_bytes(builder, first->text, first->text_size);
}

void
builder_pieces(struct builder *builder, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == NUMBER[0])
			builder_field(builder, FIELD_NUMBER, NUMBER_SIZE, 0);
		else if (*text == SOURCE[0])
			put_place(builder, FIELD_SOURCE, builder->source, builder->sources);
		else if (*text == TRUNK[0])
			put_place(builder, FIELD_TRUNK, builder->trunk, builder->trunks);
		else
			builder_bytes(builder, text, 1);
	}
}

uint32_t
pieces_write(const char *text, const struct writer *writer, char *out, uint32_t room)
{
	uint32_t size = 0;

	for (; *text != '\0'; text++) {
		const void *piece = text;
		uint32_t piece_size = 1;

		if (*text == NUMBER[0]) {
			piece = writer->number.bytes;
			piece_size = NUMBER_SIZE;
		} else if (*text == SOURCE[0] || *text == TRUNK[0]) {
			const struct place *place = *text == SOURCE[0] ? writer->source : writer->trunk;

			piece = place->text;
			piece_size = place->text_size;
		}
		if (piece_size > room - size)
			break;
		memcpy(out + size, piece, piece_size);
		size += piece_size;
	}
	return size;
}

bool
builder_end(struct builder *builder)
{
	builder->template->size = (uint16_t)builder->at;
	return !builder->failed;
}
