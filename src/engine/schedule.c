/* SPDX-License-Identifier: MIT */
/* Decoding, encoding and editing of schedules; see schedule.h. */
#include "schedule.h"

#include <string.h>

static const char *const names[HD_EDIT_KINDS] = {
	"switch", "hold", "choose", "stale", "fail",
	"signal", "irq",  "rf+",    "rf-",
};

const char *hd_edit_name(u8 kind)
{
	return kind < HD_EDIT_KINDS ? names[kind] : "?";
}

void hd_schedule_clear(struct hd_schedule *s)
{
	s->strategy = 0;
	s->seed = 0;
	s->nedits = 0;
}

static u64 key(const struct hd_edit *e)
{
	return (u64)e->task << 32 | (u32)e->anchor << 8 | e->kind;
}

bool hd_schedule_add(struct hd_schedule *s, struct hd_edit e)
{
	u32 i = s->nedits;

	while (i > 0 && key(&s->edit[i - 1]) > key(&e))
		i--;
	if (i > 0 && key(&s->edit[i - 1]) == key(&e)) {
		if (e.arg < s->edit[i - 1].arg)
			s->edit[i - 1].arg = e.arg;
		return true;
	}
	if (s->nedits == HD_MAX_EDITS)
		return false;
	memmove(&s->edit[i + 1], &s->edit[i],
		(s->nedits - i) * sizeof(s->edit[0]));
	s->edit[i] = e;
	s->nedits++;
	return true;
}

void hd_schedule_remove(struct hd_schedule *s, u32 i)
{
	s->nedits--;
	memmove(&s->edit[i], &s->edit[i + 1],
		(s->nedits - i) * sizeof(s->edit[0]));
}

void hd_schedule_decode(struct hd_schedule *s, const u8 *data, size_t size,
			u32 ntasks)
{
	size_t at;

	hd_schedule_clear(s);
	if (size >= 1)
		s->strategy = data[0] == 8 || data[0] == 9 ? data[0] : data[0] & 7;
	if (size >= HD_HEAD_BYTES)
		s->seed = data[1] | (u32)data[2] << 8 | (u32)data[3] << 16 |
			  (u32)data[4] << 24;
	for (at = HD_HEAD_BYTES; at + HD_EDIT_BYTES <= size;
	     at += HD_EDIT_BYTES) {
		const u8 *r = data + at;
		struct hd_edit e = {
			.kind = r[0] % HD_EDIT_KINDS,
			.task = r[1] % (ntasks ? ntasks : 1),
			.anchor = (u16)(r[2] | r[3] << 8),
			.arg = (u16)(r[4] | r[5] << 8),
		};

		if (!hd_schedule_add(s, e))
			break;
	}
}

size_t hd_schedule_encode(const struct hd_schedule *s, u8 *data, size_t size)
{
	size_t at = HD_HEAD_BYTES;
	u32 i;

	if (size < HD_HEAD_BYTES)
		return 0;
	data[0] = s->strategy;
	data[1] = (u8)s->seed;
	data[2] = (u8)(s->seed >> 8);
	data[3] = (u8)(s->seed >> 16);
	data[4] = (u8)(s->seed >> 24);
	for (i = 0; i < s->nedits && at + HD_EDIT_BYTES <= size; i++) {
		const struct hd_edit *e = &s->edit[i];
		u8 *r = data + at;

		r[0] = e->kind;
		r[1] = e->task;
		r[2] = (u8)e->anchor;
		r[3] = (u8)(e->anchor >> 8);
		r[4] = (u8)e->arg;
		r[5] = (u8)(e->arg >> 8);
		at += HD_EDIT_BYTES;
	}
	return at;
}
