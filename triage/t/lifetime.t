#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Reports about objects: who allocated and freed them, which grace period was in
# between, who holds what is left.  That they do not change unnoticed is for
# show.t and golden/ (uaf-rcu, freed-lock, refs-left); here is what they must
# say, and that no line is there that is not true of the run.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $golden = "$FindBin::Bin/../golden";
my ($rc, $out, $err);

# The report on the smallest run that shows a verdict.
sub smallest {
	my ($variant, $verdict, $format) = @_;
	my $to = "$dir/" . $variant =~ s/\W/-/gr;

	heddle('explore', $variant, '--preemptions=2', "--out=$to");
	my ($file) = glob "$to/$verdict*.sched";
	return heddle('show', "--format=$format", $file // 'none');
}

# --- a reader that was inside, left, and looked once more
for my $format (qw(text mail)) {
	($rc, $out, $err) = heddle('show', "--format=$format",
		"$golden/uaf-rcu.sched");
	like $out, qr/^BUG:\ KASAN:\ slab-use-after-free\ in\ use\n
		Read\ of\ size\ 4\ at\ entry\.key\ \(entry\#1\+0\)\ by\ task\ reader\n
		\nraised\ in\ reader\n\ \ use\ +\S+:\d+\n\ \ lookup\ +\S+:\d+\n
		\nAllocated\ by\ the\ set-up:\n\ \ setup\ +\S+:\d+\n
		\nFreed\ by\ task\ rcu:\n\ \ entry_free_rcu\ +\S+:\d+\n
		\nLast\ potentially\ related\ work\ creation:\ call_rcu\ by\ task\ updater:\n
		\ \ entry_free\ +\S+:\d+\n\ \ update\ +\S+:\d+\n
		\nGrace\ period:/mx, "$format: in KASAN's order";
	like $out, qr/^Grace\ period:\ begun\ by\ updater's\ call_rcu\ in\ entry_free\s+\S+:\d+\n
		\ \ reader\ was\ inside:\ rcu_read_lock\ in\ lookup\s+\S+:\d+\n
		\ \ \ \ left:\ rcu_read_unlock\ in\ lookup\s+\S+:\d+\n
		\ \ over:\ rcu\ ran\ the\ callback\ and\ freed\ entry\#1\n
		\ \ reader\ used\ it\ 1\ op\ after\ its\ rcu_read_unlock\ in\ lookup\s+\S+:\d+\n
		/mx, '... and the grace period with its reader';
}

# --- the free waited for nobody
($rc, $out) = smallest('rcu_use_after_gp:kfree', 'use-after-free', 'mail');
like $out, qr/^Freed by task updater:\n  entry_free +\S+\n  update +\S+\n/m,
	'kfree: who freed it';
like $out, qr/^Grace\ period:\ the\ free\ waited\ for\ none\n
	\ \ reader\ was\ inside:\ rcu_read_lock\ in\ lookup\s+\S+\n
	\ \ \ \ is\ still\ inside\n
	\ \ reader\ used\ it\ in\ a\ read\ section\ that\ began\ before\ the\ free\n
	/mx, '... while a reader was inside';
unlike $out, qr/work creation/, '... no callback';

($rc, $out) = smallest('rcu_use_after_gp:late-use-synchronize',
	'use-after-free', 'mail');
like $out, qr/^Grace\ period:\ begun\ by\ updater's\ synchronize_rcu\ in\ entry_free\s+\S+\n
	\ \ no\ reader\ was\ inside\n
	\ \ over:\ updater\ went\ on\ and\ freed\ entry\#1\n
	\ \ reader\ used\ it\ \d\ ops?\ after\ its\ rcu_read_unlock/mx,
	'synchronize_rcu: the grace period';
unlike $out, qr/work creation/, '... no callback';

# --- no RCU in the run: not a word about it
($rc, $out) = smallest('put_under_lock:buggy', 'use-after-free', 'text');
like $out, qr/^Write of size 4 at session\.lock \(session#1\+8\) by task client$/m,
	'put under the lock: what was touched';
like $out, qr/^Allocated by task opener:\n  open_session .*\n\nFreed by task client:\n  session_put /m,
	'... allocated before the first op, freed by the user itself';
unlike $out, qr/Grace|RCU/i, '... nothing about RCU';
like $out, qr/dec_and_test +refs 1->0\n/, '... the last put is in the picture';
($rc, $out) = smallest('put_under_lock:buggy', 'freed', 'text');
like $out, qr/^  client: lock \(W\) in request /m, 'held lock freed: who holds it';
like $out, qr/^Allocated by task opener:/m, '... in which object';

# --- references
($rc, $out) = smallest('put_under_lock:no-put', 'refcount-leak', 'text');
like $out, qr/^refs\ of\ session\#1\ is\ 1\ at\ the\ end;\ its\ gets\ and\ puts:\n
	\ \ opener:\ set\ 0->1\ in\ open_session\ .*\n
	\ \ opener:\ inc\ 1->2\ in\ session_get\ .*\n
	\ \ opener:\ dec_and_test\ 2->1\ in\ session_put\ .*\n
	\ \ opener\ got\ 1\ and\ put\ 1\n/mx, 'refcount-leak: gets and puts';
like $out, qr/^Allocated by task opener:\n  open_session /m, '... whose object';
unlike $out, qr/^raised in/m, '... and no stack, as nobody raised it';

# --- the VMA of the main job
($rc, $out) = heddle('show', '--format=mail',
	glob 'corpus/regress/fault_vs_munmap.v6/use-after-free-*refcnt/min.sched');
like $out, qr/^Allocated\ by\ the\ set-up:\n\ \ new_vma\ .*\n\ \ mm_add_vma_file\ .*\n
	/mx, 'v6: whole stacks, of the set-up as well';
like $out, qr/^Grace\ period:\ begun\ by\ munmap's\ call_rcu\ in\ vm_area_free\s.*
	^\ \ fault\ was\ inside:\ rcu_read_lock\ in\ lock_vma_under_rcu\s.*
	^\ \ fault\ used\ it\ in\ a\ read\ section\ that\ began\ later:\ the\ grace\ period\ did
	\s+not\ wait\ for\ it\n\ {4}rcu_read_lock\ in\ vma_end_read\s/msx,
	'... inside once more, but too late';

# --- programs of this test alone
SKIP: {
	my $cc = dirname(abs_path($ENV{HEDDLE} // 'build/heddle')) . '/heddle-cc';

	skip "$cc is not built", 1 unless -x $cc;
	is system($cc, "$FindBin::Bin/objects.c", '-o', "$dir/objects"), 0,
		'objects.c builds';
	my $of = sub {
		my ($variant, $verdict) = @_;
		system("'$dir/objects' explore objects:$variant --preemptions=1 " .
			"--out='$dir/o-$variant' > '$dir/log' 2>&1");
		my ($file) = glob "$dir/o-$variant/$verdict*.sched";
		my $text = $file ? `'$dir/objects' show --format=mail '$file'` : '';
		is join('', grep { length > 73 && !/ replay / }
			split /^/, $text), '', "$variant: $verdict has 72 columns";
		return $text;
	};
	like $of->(leak => 'leak'), qr/^never\ freed:\ thing\#1\ \(size\ 24\)\n
		\ \ last\ pointer\ to\ it:\ owner\#1,\ by\ first\ in\ fill\s+\S+\n
		\ {4}overwritten\ by\ second\ in\ fill\s+\S+\n
		\nAllocated\ by\ task\ first:\n/mx, '... and who knew of it last';
	like $of->(reuse => 'assert'), qr/^thing\#1\ was\ reused\ .*\n
		\ \ life\ 1:\ freed\ by\ first\ in\ recycle\s+\S+\n
		\ \ life\ 2:\ allocated\ by\ first\ in\ recycle\s/mx, '... no use after free';
	unlike $of->(reuse => 'use-after-free'), qr/was reused/,
		'... which is another thing';
	like $of->(late => 'use-after-free'), qr/^Freed\ by\ task\ rcu,\ for\ kfree_rcu\(\)\n
		\nLast\ potentially\ related\ work\ creation:\ kfree_rcu\ by\ task\ first:\n
		.*^\ \ second\ was\ never\ inside\ of\ a\ read\ section$/msx,
		'... freed by no code of the model';
	like $of->(past => 'wild-access'), qr/^BUG:\ KASAN:\ slab-out-of-bounds\ in\ first\n
		Write\ of\ size\ 4\ at\ thing\#1\+24\ by\ task\ first\n
		The\ address\ is\ 0\ bytes\ to\ the\ right\ of\ the\ 24-byte\ object\n/mx,
		'... of which object';
	like $of->(twice => 'double-free'), qr/^BUG:\ KASAN:\ double-free\ in\ second\n
		Free\ of\ thing\#1,\ 24\ bytes,\ by\ task\ second\n
		.*^Freed\ by\ task\ first:$/msx, '... and who was first';
	like $of->(expect => 'refcount-leak'),
		qr/^refs of thing#1 is 2 at the end; .*^  first got 1 and put 0$/ms,
		'... of an object of the set-up';
}

# --- widths
my %lines = (text => 80, mail => 72);
while (my ($format, $width) = each %lines) {
	for my $file (sort(glob("$golden/*.sched"), glob("$dir/*/*.sched"))) {
		($rc, $out) = heddle('show', "--format=$format", $file);
		my @long = grep { length > $width && !/^heddle replay / }
			split /\n/, $out;
		is "@long", '', "$file: $format has $width columns";
	}
}

done_testing;
