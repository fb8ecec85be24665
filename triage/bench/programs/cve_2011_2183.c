/* SPDX-License-Identifier: MIT */
/*
 * The shape of ConVul's CVE-2011-2183: the KSM daemon goes through a list of
 * memory descriptors while a process leaves that list.
 *
 * The bug: the scan asks whether the list is empty, and only then takes the
 * lock and the next entry.  When the last entry leaves in between, the next
 * entry is the list head, whose mm is NULL: NULL dereference.
 */
#include <pthread.h>
#include <stdlib.h>

struct mm {
	pthread_mutex_t sem;
	int scanned;
};

struct slot {
	struct slot *next, *prev;
	struct mm *mm;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot head = { .next = &head, .prev = &head };
static struct slot *cursor = &head;
static struct slot *mine;
static struct mm *my_mm;

static void *scan(void *arg)
{
	struct mm *mm;

	(void)arg;
	if (head.next == &head)
		return NULL;

	pthread_mutex_lock(&list_lock);
	cursor = cursor->next;
	mm = cursor->mm;
	pthread_mutex_unlock(&list_lock);

	pthread_mutex_lock(&mm->sem);
	mm->scanned++;
	pthread_mutex_unlock(&mm->sem);
	return NULL;
}

/* The slot that the scan stands at is left for it; the mm outlives both */
static void *leave(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&list_lock);
	if (cursor != mine) {
		mine->next->prev = mine->prev;
		mine->prev->next = mine->next;
		free(mine);
	}
	pthread_mutex_unlock(&list_lock);
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	my_mm = calloc(1, sizeof(*my_mm));
	pthread_mutex_init(&my_mm->sem, NULL);
	mine = malloc(sizeof(*mine));
	*mine = (struct slot){ .next = &head, .prev = &head, .mm = my_mm };
	head.next = head.prev = mine;

	pthread_create(&t[0], NULL, scan, NULL);
	pthread_create(&t[1], NULL, leave, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	return 0;
}
