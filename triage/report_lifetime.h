/* SPDX-License-Identifier: MIT */
/* Private to the reports on objects: what report_lifetime.c and report_left.c
 * ask of the recorded run. */
#ifndef TRIAGE_REPORT_LIFETIME_H
#define TRIAGE_REPORT_LIFETIME_H

#include "report.h"

/* The last record of this kind with this address before i; s->n: none. */
u32 life_last_on(const struct story *s, u8 kind, u64 addr, u32 i);
/* The object at, or behind, addr; NULL: there is none. */
const struct hd_object *life_object(u64 addr);
/* Address of the object behind the one at address at. */
u64 life_next(u64 at);
/* "task fault", "the end check" */
const char *life_who(const struct story *s, u32 task, char *buf, size_t size);
/* "what in function     file:line" */
void life_print_at(struct page *p, u32 indent, const char *what,
		   const struct hd_record *rec);
/* "Allocated by ...:", and the stack, of the object that lived at record i. */
void life_print_allocation(const struct story *s, struct page *p,
			   const struct hd_object *o, u32 i);
/* report_left.c: objects and references that are left at the end. */
void report_left(const struct story *s, struct page *p);

#endif
