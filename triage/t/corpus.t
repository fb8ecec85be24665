#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Does every schedule in corpus/regress still do what was recorded, twice, does
# its report come out the same, and is there one for each verdict that a variant
# declares?  (triage/make_corpus.sh makes them.)  Do the seeds run?
use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use lib $FindBin::Bin;
BEGIN { $ENV{HEDDLE} = Cwd::abs_path($ENV{HEDDLE} // 'build/heddle') }
use Heddle;
use JSON::PP;
use Test::More;

# reports name their file: relative to the top
chdir "$FindBin::Bin/../.." or die;
my $corpus = 'corpus';
my ($rc, $out, $err) = heddle('list', '--json');
my @scenarios = @{decode_json($out)};

# --- each schedule
my %has; # scenario.variant verdict => number
for my $file (sort glob "$corpus/regress/*/*/min.sched") {
	my ($variant, $name) = $file =~ m{([^/]+)/([^/]+)/min\.sched$};
	my $text = slurp($file);
	my ($scenario) = $text =~ /^scenario (.*)$/m;
	my ($kind) = $text =~ /^want (\S+)/m;
	(my $dotted = $scenario) =~ s/:/./;
	is $dotted, $variant, "$variant/$name: stands where it belongs";
	like $name, qr/^(mail-order-)?\Q$kind\E/, '... under its signature';
	$has{"$variant $kind"}++;
	(my $folder = $file) =~ s{/[^/]*$}{};
	($rc, $out, $err) = heddle(qw(replay --twice --check), $file);
	my $r = result($out);
	ok $rc eq '0' && $r->{differences} eq '0' && $out !~ /another model/ &&
		$out =~ /the same twice/, '... replays as recorded, twice'
		or diag "$out$err";
	($rc, $out) = heddle('show', '--format=mail', $file);
	is $out, slurp("$folder/report.txt"), '... and its report is the same';
}

# --- each verdict that a variant declares, and no other
for my $s (@scenarios) {
	for my $v (@{$s->{variants}}) {
		for my $e (@{$v->{expect}}) {
			ok delete $has{"$s->{name}.$v->{name} $e->{verdict}"},
			    "$s->{name}.$v->{name}: has its $e->{verdict}";
		}
	}
}
is join(', ', sort keys %has), '', 'no schedule shows what is not declared';

# --- what the pinned ones are there for
sub head { return slurp("$corpus/regress/fault_vs_munmap.v6/$_[0]/report.txt") }
like head('held-at-user-vm_lock'), qr/^3 preemptions; with 2: none/m,
	'v6: held-at-user is proved minimal';
like head('detached-read-lock-vm_area_struct'),
	qr/^3 preemptions; with 2: none/m, 'v6: detached-read-lock as well';
like head('circular-mmap_lock-vm_lock'), qr/^4 preemptions; with 3: none/m,
	'v6: circular as well';
my $mail = head('mail-order-circular');
like $mail, qr/^4 preemptions/m, 'v6: the order of the mail';
like $mail, qr/differ.*rwsem_acquire_read.*vma_start_write\ .*
	inc_not_zero_limited.*dec_and_test\s+vm_refcnt\ 2->1.*
	\(equal.*dec_and_test\s+vm_refcnt\ 1->0.*
	mmap_read_trylock\ mmap_lock\ fails.*mmap_read_lock/xs,
	'... step by step, and mmap_lock is taken with the map held';
my $user = head('mail-order-held-at-user');
like $user, qr/^5 preemptions/m, 'v6: the same order, preempted once more';
like $user, qr/dec_and_test\s+vm_refcnt\ 2->1.*dec_and_test\s+vm_refcnt\ 1->0.*
	mmap_write_downgrade.*mmap_read_trylock\ mmap_lock\ ok.*
	return\ to\ user/xs, '... ends at the return to user space';

# --- seeds
for my $s (@scenarios) {
	my @seeds = glob "$corpus/seed/$s->{name}/*";
	cmp_ok scalar @seeds, '>=', 5, "$s->{name}: has seeds";
	next unless @seeds;
	($rc, $out, $err) = heddle('replay', "--scenario=$s->{name}", '--twice',
		@seeds);
	my $r = result($out);
	ok $rc =~ /^[01]$/ && $err eq '' && "$r->{differences} " .
		"$r->{unreadable}" eq '0 0', '... that run, the same twice'
		or diag "$out$err";
}
# What is pasted into a mail: 72 columns, plain ASCII.
for my $f (glob 'corpus/regress/*/*/report.txt') {
	my @bad = grep { length > 72 || /[^\x20-\x7e]/ } split /\n/, slurp($f);
	is "@bad", '', "$f: 72 columns of ASCII";
}

done_testing;
