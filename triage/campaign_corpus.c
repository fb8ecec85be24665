/* SPDX-License-Identifier: MIT */
/* Is everything in libFuzzer's corpus whole?
 *
 * libFuzzer writes its files in place; one that a full disk or a kill cut short
 * stays there.  But it names each by the SHA-1 (FIPS 180-4) of its content, so a
 * file that is not what its name says is removed. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"

/* --- SHA-1 ----------------------------------------------------------------------- */

static u32 rotate(u32 x, u32 n)
{
	return x << n | x >> (32 - n);
}

static void mix_block(u32 h[5], const u8 *p)
{
	static const u32 k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
				  0xca62c1d6 };
	u32 w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], i;

	for (i = 0; i < 16; i++)
		w[i] = (u32)p[4 * i] << 24 | (u32)p[4 * i + 1] << 16 |
		       (u32)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (i = 0; i < 80; i++) {
		u32 f = i < 20 ? (b & c) | (~b & d) :
			i < 40 || i >= 60 ? b ^ c ^ d :
					    (b & c) | (b & d) | (c & d);
		u32 t = rotate(a, 5) + f + e + k[i / 20] + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1_hex(const void *data, size_t size, char out[41])
{
	u32 h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		     0xc3d2e1f0 };
	const u8 *p = data;
	u8 tail[128] = { 0 };
	size_t left = size, n, i;

	for (; left >= 64; left -= 64, p += 64)
		mix_block(h, p);
	if (left)
		memcpy(tail, p, left);
	tail[left] = 0x80;
	n = left < 56 ? 64 : 128;
	for (i = 0; i < 8; i++)
		tail[n - 1 - i] = (u8)((u64)size * 8 >> 8 * i);
	for (i = 0; i < n; i += 64)
		mix_block(h, tail + i);
	for (i = 0; i < 5; i++)
		snprintf(out + 8 * i, 9, "%08x", h[i]);
}

/* --- files -------------------------------------------------------------------------- */

/* Inputs, and crash-<sha1> and the like; findings (.bin) are written whole. */
static bool is_whole(const char *path, const char *name)
{
	static u8 data[1 << 20];
	size_t len = strlen(name), n;
	char hex[41];
	FILE *in;

	if (len > 4 && !strcmp(name + len - 4, ".bin"))
		return name[0] != '.';
	in = fopen(path, "rb");
	if (!in)
		return true;
	n = fread(data, 1, sizeof(data), in);
	fclose(in);
	sha1_hex(data, n, hex);
	return len >= 40 && !strcmp(name + len - 40, hex);
}

u32 corpus_check(const char *folder)
{
	char path[4096];
	struct dirent *e;
	DIR *h = opendir(folder);
	u32 n = 0;

	while (h && (e = readdir(h))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (is_whole(path, e->d_name))
			n++;
		else
			unlink(path);
	}
	if (h)
		closedir(h);
	return n;
}
