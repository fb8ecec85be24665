/* SPDX-License-Identifier: MIT */
/* A schedule is what decides a run: base strategy + seed + edits.
 *
 * Binary form (frozen): byte 0 base strategy (0 run-to-block, 1 random walk, 2 PCT,
 * 3 POS, 4 SURW, 5 reads-from, 6 reluctant, 7 URW, 8 hold, 9 eager; above, the low 3
 * bits of it); bytes 1-4 seed, little endian; then records of 6 bytes: kind (u8,
 * modulo 9), task (u8, modulo the scenario's tasks), anchor (u16 LE), argument (u16
 * LE).  A short tail is ignored, as are records beyond HD_MAX_EDITS.  Every byte string is a
 * valid schedule; records are order-insensitive (of equal (kind, task, anchor)
 * the smallest argument wins); the empty input runs each task until it blocks.
 *
 * Ops of a task are numbered from 1, so anchor 0 is never reached.  The anchor
 * of choose counts the task's data choices, that of fail its fallible
 * operations, from 1 as well. */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include <heddle/types.h>

enum hd_edit_kind {
	HD_EDIT_SWITCH = 0, /* before T's n-th op run U */
	HD_EDIT_HOLD = 1,   /* keep T before its n-th op until a conflict ran */
	HD_EDIT_CHOOSE = 2, /* T's n-th data choice is the argument */
	HD_EDIT_STALE = 3,  /* reserved for weak memory */
	HD_EDIT_FAIL = 4,   /* T's n-th fallible operation fails */
	HD_EDIT_SIGNAL = 5, /* a signal is pending at T's n-th op */
	HD_EDIT_IRQ = 6,    /* before T's n-th op handler H comes on T's CPU */
	HD_EDIT_RF_POS = 7, /* reserved for reads-from steering */
	HD_EDIT_RF_NEG = 8, /* reserved for reads-from steering */
	HD_EDIT_KINDS = 9
};

enum { HD_MAX_EDITS = 1024, HD_EDIT_BYTES = 6, HD_HEAD_BYTES = 5 };

struct hd_edit {
	u8 kind, task;
	u16 anchor, arg;
};

struct hd_schedule {
	u8 strategy; /* 0..7 */
	u32 seed;
	u32 nedits;  /* sorted by (task, anchor, kind), without duplicates */
	struct hd_edit edit[HD_MAX_EDITS];
};

void hd_schedule_clear(struct hd_schedule *s);
void hd_schedule_decode(struct hd_schedule *s, const u8 *data, size_t size,
			u32 ntasks);
/* Returns the number of bytes written (at most size). */
size_t hd_schedule_encode(const struct hd_schedule *s, u8 *data, size_t size);
/* Keep the list sorted and free of duplicates; false if it is full. */
bool hd_schedule_add(struct hd_schedule *s, struct hd_edit e);
void hd_schedule_remove(struct hd_schedule *s, u32 i);
const char *hd_edit_name(u8 kind);

#endif
