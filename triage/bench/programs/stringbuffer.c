/* SPDX-License-Identifier: MIT */
/*
 * The shape of the StringBuffer of JDK 1.4 (CB/stringbuffer-jdk1.4): every
 * method holds the lock of its own buffer.
 *
 * The bug: append() asks the other buffer for its length and then for that many
 * characters, and the other buffer may change between the two calls.  It fails
 * when the other thread has erased the buffer, but not filled it again, when
 * the characters are copied.
 */
#include <assert.h>
#include <pthread.h>

#define ROOM 16

struct buffer {
	pthread_mutex_t lock;
	int count;
	char chars[ROOM];
};

static struct buffer from = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .count = 3, .chars = "abc",
};
static struct buffer to = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int length(struct buffer *b)
{
	int count;

	pthread_mutex_lock(&b->lock);
	count = b->count;
	pthread_mutex_unlock(&b->lock);
	return count;
}

static void get_chars(struct buffer *b, int end, char *dst)
{
	int i;

	pthread_mutex_lock(&b->lock);
	assert(end <= b->count);
	for (i = 0; i < end; i++)
		dst[i] = b->chars[i];
	pthread_mutex_unlock(&b->lock);
}

static void append(struct buffer *b, struct buffer *other)
{
	int len;

	pthread_mutex_lock(&b->lock);
	len = length(other);
	get_chars(other, len, b->chars + b->count);
	b->count += len;
	pthread_mutex_unlock(&b->lock);
}

static void erase(struct buffer *b)
{
	pthread_mutex_lock(&b->lock);
	b->count = 0;
	pthread_mutex_unlock(&b->lock);
}

static void append_chars(struct buffer *b, const char *s)
{
	pthread_mutex_lock(&b->lock);
	while (*s)
		b->chars[b->count++] = *s++;
	pthread_mutex_unlock(&b->lock);
}

static void *writer(void *arg)
{
	erase(&from);
	append_chars(&from, "abc");
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, writer, NULL);
	append(&to, &from);
	pthread_join(t, NULL);
	return 0;
}
