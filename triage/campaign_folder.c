/* SPDX-License-Identifier: MIT */
/* How does a campaign get to disk, whatever happens to the disk?
 *
 * Each file, and each new folder of findings, is written beside its place, synced,
 * and renamed: whoever looks, at any instant, sees it whole or not at all.  What
 * cannot be written (a full disk) stays in memory, newest content only, and is
 * tried again every two seconds.  One campaign at a time holds DIR/lock, which the
 * kernel gives free when the process ends, however it ends. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign.h"
#include <errno.h> /* after ours: types.h has the kernel's values */

enum { MAX_BLOBS = 2 };

struct pending {
	char name[400];
	bool is_folder;
	u32 n;
	struct {
		char name[160];
		char *data;
		size_t size;
	} file[MAX_BLOBS]; /* of a file: one, without a name */
	struct pending *next;
};

static struct pending *pending, **last = &pending;
static u32 npending;
static double tried;
static int lock = -1;

static const char *const folders[] = { "findings", "corpus", "crashes", "logs",
				       "seen" };

/* --- opening --------------------------------------------------------------------- */

static bool cannot(const char *what, const char *path)
{
	fprintf(stderr, "heddle campaign: cannot %s %s: %s\n", what, path,
		strerror(errno));
	return false;
}

static bool make_folder(const char *path)
{
	struct stat st;

	return !mkdir(path, 0777) ||
	       (errno == EEXIST && !stat(path, &st) && S_ISDIR(st.st_mode));
}

/* Workers of a campaign that was killed just now may have it for a moment. */
static bool lock_soon(void)
{
	u32 i;

	for (i = 0; i < 10; i++) {
		if (!flock(lock, LOCK_EX | LOCK_NB))
			return true;
		usleep(50000);
	}
	return false;
}

static bool take_lock(const char *dir)
{
	char path[4096], pid[32] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "%s/lock", dir);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (lock < 0)
		return cannot("open", path);
	if (!lock_soon()) {
		n = read(lock, pid, sizeof(pid) - 1);
		pid[n > 0 ? strspn(pid, "0123456789") : 0] = 0;
		fprintf(stderr, "heddle campaign: %s is in use by another "
			"campaign%s%s\n", dir, pid[0] ? ", process " : "", pid);
		return false;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	/* the lock holds without it, should there be no room */
	if (ftruncate(lock, 0) || pwrite(lock, pid, (size_t)n, 0) != n)
		errno = 0;
	return true;
}

void folder_leave(void)
{
	close(lock);
}

static void remove_folder(const char *path)
{
	char name[4096];
	struct dirent *e;
	DIR *h = opendir(path);

	while (h && (e = readdir(h))) {
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlink(name);
	}
	if (h)
		closedir(h);
	rmdir(path);
}

/* What a killed campaign left beside its place. */
static void remove_temporary(const char *dir)
{
	char path[4096];
	struct dirent *e;
	DIR *h = opendir(dir);

	while (h && (e = readdir(h))) {
		size_t n = strlen(e->d_name);

		if (n < 4 || strcmp(e->d_name + n - 4, ".tmp"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path))
			remove_folder(path);
	}
	if (h)
		closedir(h);
}

/* Of findings each has a folder. */
static void remove_temporary_in(const char *dir)
{
	char path[4400];
	struct dirent *e;
	DIR *h = opendir(dir);

	while (h && (e = readdir(h))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			remove_temporary(path);
	}
	if (h)
		closedir(h);
}

bool folder_open(struct campaign *c)
{
	char path[4096];
	u32 i;

	if (strlen(c->dir) > 2000) {
		errno = ENAMETOOLONG;
		return cannot("use", c->dir);
	}
	if (!make_folder(c->dir))
		return cannot("make", c->dir);
	if (!take_lock(c->dir))
		return false;
	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", c->dir, folders[i]);
		if (!make_folder(path))
			return cannot("make", path);
		remove_temporary(path);
	}
	snprintf(path, sizeof(path), "%s/findings", c->dir);
	remove_temporary_in(path);
	remove_temporary(c->dir);
	return true;
}

/* --- writing --------------------------------------------------------------------- */

static bool write_file(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t at = 0;
	ssize_t n = 0;
	int why;

	if (fd < 0)
		return false;
	for (; at < size && n >= 0; at += n > 0 ? (size_t)n : 0)
		n = write(fd, data + at, size - at);
	if (n >= 0 && !fsync(fd) && !close(fd))
		return true;
	why = errno;
	close(fd);
	unlink(path);
	errno = why;
	return false;
}

/* So that the name is there after a power cut, too. */
static void sync_parent(const char *path)
{
	char dir[4096];
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static bool put_file(const char *path, const char *data, size_t size)
{
	char tmp[4200];
	int why;

	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	if (!write_file(tmp, data, size))
		return false;
	if (!rename(tmp, path)) {
		sync_parent(path);
		return true;
	}
	why = errno;
	unlink(tmp);
	errno = why;
	return false;
}

/* It is there already, without the file that says what it is. */
static bool fill_folder(const char *path, const struct pending *p)
{
	char file[4400];
	u32 i;

	for (i = 0; i < p->n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, p->file[i].name);
		if (!put_file(file, p->file[i].data, p->file[i].size))
			return false;
	}
	return true;
}

static bool put_folder(const char *path, const struct pending *p)
{
	char tmp[4200], file[4400];
	bool good;
	int why;
	u32 i;

	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	good = make_folder(tmp);
	for (i = 0; good && i < p->n; i++) {
		snprintf(file, sizeof(file), "%s/%s", tmp, p->file[i].name);
		good = write_file(file, p->file[i].data, p->file[i].size);
	}
	if (good && !rename(tmp, path)) {
		sync_parent(path);
		return true;
	}
	why = errno;
	remove_folder(tmp);
	if (good && (why == ENOTEMPTY || why == EEXIST))
		return fill_folder(path, p);
	errno = why;
	return false;
}

static bool put(const struct campaign *c, const struct pending *p)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", c->dir, p->name);
	return p->is_folder ? put_folder(path, p) :
			      put_file(path, p->file[0].data, p->file[0].size);
}

/* --- what could not be written ------------------------------------------------------ */

static void drop_first(void)
{
	struct pending *p = pending;
	u32 i;

	pending = p->next;
	if (!pending)
		last = &pending;
	for (i = 0; i < p->n; i++)
		free(p->file[i].data);
	free(p);
	npending--;
}

void folder_retry(struct campaign *c, bool now)
{
	static bool told;
	const char *what;

	if (!pending || (!now && seconds_now() - tried < 2))
		return;
	what = pending->name;
	while (pending && put(c, pending))
		drop_first();
	tried = seconds_now();
	if (pending && !told)
		fprintf(stderr, "heddle campaign: cannot write %s/%s: %s; kept "
			"in memory and tried again\n", c->dir, what,
			strerror(errno));
	if (!pending && told)
		fprintf(stderr, "heddle campaign: %s: all is written again\n",
			c->dir);
	told = pending != NULL;
}

u32 folder_pending(void)
{
	return npending;
}

static void set_blob(struct pending *p, u32 i, const struct blob *b)
{
	char *data = malloc(b->size + 1);

	if (!data) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	memcpy(data, b->data, b->size);
	free(p->file[i].data);
	p->file[i].data = data;
	p->file[i].size = b->size;
	snprintf(p->file[i].name, sizeof(p->file[i].name), "%s",
		 b->name ? b->name : "");
}

static struct pending *new_pending(const char *name)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p) {
		fprintf(stderr, "heddle: out of memory\n");
		exit(EXIT_FAULT);
	}
	snprintf(p->name, sizeof(p->name), "%s", name);
	*last = p;
	last = &p->next;
	npending++;
	return p;
}

/* In its order behind what waits, so that a file never comes before its folder;
 * unless it waits itself, then with the new content. */
static void enqueue(struct campaign *c, const char *name, bool is_folder,
		    const struct blob *file, u32 n)
{
	bool first = !pending;
	struct pending *p;
	u32 i;

	for (p = pending; p && strcmp(p->name, name); p = p->next)
		;
	if (!p)
		p = new_pending(name);
	p->is_folder = is_folder;
	for (p->n = n, i = 0; i < n; i++)
		set_blob(p, i, &file[i]);
	folder_retry(c, first);
}

void folder_put(struct campaign *c, const char *name, const void *data,
		size_t size)
{
	struct blob b = { NULL, data, size };

	enqueue(c, name, false, &b, 1);
}

void folder_put_all(struct campaign *c, const char *name,
		    const struct blob *file, u32 n)
{
	enqueue(c, name, true, file, n);
}

static bool is_text(const char *name)
{
	size_t n = strlen(name);

	return n < 4 || strcmp(name + n - 4, ".bin");
}

void folder_print_pending(FILE *out)
{
	const struct pending *p;
	u32 i;

	for (p = pending; p; p = p->next)
		for (i = 0; i < p->n; i++)
			if (!strncmp(p->name, "findings/", 9) &&
			    is_text(p->name) && is_text(p->file[i].name))
				fprintf(out, "--- %s %s\n%.*s", p->name,
					p->file[i].name, (int)p->file[i].size,
					p->file[i].data);
}

/* --- reading ----------------------------------------------------------------------- */

char *folder_get(const struct campaign *c, const char *name, size_t *size)
{
	char path[4096], *data = NULL;
	struct stat st;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	in = fopen(path, "rb");
	if (in && !fstat(fileno(in), &st) && S_ISREG(st.st_mode))
		data = malloc((size_t)st.st_size + 1);
	*size = data ? fread(data, 1, (size_t)st.st_size, in) : 0;
	if (data)
		data[*size] = 0;
	if (in)
		fclose(in);
	return data;
}
