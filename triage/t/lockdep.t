#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Is the verdict the kernel's, at the kernel's operation?  corpus/lockdep holds
# what a booted 6.12 with PROVE_LOCKING said to 7,573 lock programs, with the
# dependencies that it had recorded by then and what lock_is_held() answered.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $corpus = "$FindBin::Bin/../../corpus/lockdep";
my ($rc, $out, $err, $r);

for ([ 'cases.tsv', 1573, 22 ], [ 'random.tsv', 6000, 0 ]) {
	my ($file, $programs, $api) = @$_;
	($rc, $out) = heddle('lockdep', '--graph', '--quiet', "$corpus/$file");
	$r = result($out);
	is $rc, 0, "$file: every verdict, operation and dependency is the kernel's"
	    or diag $out;
	is $r->{compared}, $programs, "$file: all programs were compared";
	is $r->{api}, $api, "$file: lines that are no programs are counted";
	like $out, qr/^api only.* st-ww_test_two_contexts /m,
	    '... and named' if $api;
}

# --- one line in, one line out ----------------------------------------------
my $abba = "T1: W(A) W(B) U(B) U(A) ; T2: W(B) W(A) U(A) U(B)";
my $file = spew("$dir/p.tsv", "abba\t$abba\n");
($rc, $out) = heddle('lockdep', $file);
is $rc, 0, 'nothing to compare: exit status 0';
like $out, qr/^abba\treport:circular\top6=W\(A\)\@T2$/m, 'id, verdict, operation';

spew($file, "x\t$abba\tclean\t-\n");
($rc, $out) = heddle('lockdep', $file);
is $rc, 1, 'another verdict than given: exit status 1';
like $out, qr/^x\tdiffers: report:circular op6=W\(A\)\@T2, expected clean -$/m,
    '... and both are printed';
spew($file, "x\t$abba\treport:circular\top5=W(B)\@T2\n");
($rc) = heddle('lockdep', $file);
is $rc, 1, 'another operation than given: exit status 1';

# --- a verdict must depend on what it is about -------------------------------
my %twin = (
	'order of recording' => [
		'T1: W(N) W(Q) U(Q) U(N) ; T2: W(N) RR(P) U(P) U(N) ; ' .
		'T3: RR(P) W(M) U(M) U(P) ; T4: W(Q) W(M) U(M) U(Q) ; ' .
		'T5: W(M) W(T) U(T) U(M) ; T6: W(T) W(N) U(N) U(T)',
		'report:circular',
		'T2: W(N) RR(P) U(P) U(N) ; T3: RR(P) W(M) U(M) U(P) ; ' .
		'T1: W(N) W(Q) U(Q) U(N) ; T4: W(Q) W(M) U(M) U(Q) ; ' .
		'T5: W(M) W(T) U(T) U(M) ; T6: W(T) W(N) U(N) U(T)',
		'clean' ],
	'recursion of readers' => [ 'T1: R(A) R(A)', 'report:recursive',
	                            'T1: RR(A) RR(A)', 'clean' ],
	'nest lock' => [ 'T1: W(X) W(Y1) W(Y2)', 'report:recursive',
	                 'T1: W(X) W(Y1^X) W(Y2^X)', 'clean' ],
	'wait types' => [ '@A=raw @B=spin T1: W(A) W(B)', 'report:wait-context',
	                  '@A=spin @B=raw T1: W(A) W(B)', 'clean' ],
	'taking again' => [
		'T1: W(C) W(A) U(A) U(C) ; T2: W(A) RR(B) W(C) U(B)',
		'report:circular',
		'T1: W(C) W(A) U(A) U(C) ; T2: W(A) RR(B) W(C) U(C)', 'clean' ],
	'softirq' => [ 'T1: sirq{ W(A) U(A) sirq} W(A) U(A)',
	               'report:inconsistent',
	               'T1: sirq{ W(A) U(A) sirq} bhoff W(A) U(A) bhon',
	               'clean' ],
	'an entry above is merged, and was not counted' => [
		'T1: W(X) W(Y1/1^X) W(Y2^X) SUB(Y1/0)', 'report:warn',
		'T1: W(X) W(Y1^X) W(Y2/1^X) SUB(Y2/0)', 'clean' ],
	'lock_sync holds nothing' => [
		'T1: W(A) U(A) ; T2: hirq{ W(A) U(A) hirq}',
		'report:inconsistent',
		'T1: SYNC(A) ; T2: hirq{ W(A) U(A) hirq}', 'clean' ],
	'reader below' => [
		'T1: hirq{ RR(B) U(B) hirq} ; T2: W(C) U(C) ; ' .
		'T3: cli W(B) W(C) U(C) U(B) sti', 'report:irq-order',
		'T1: hirq{ RR(B) U(B) hirq} ; T2: W(C) U(C) ; ' .
		'T3: cli RR(B) W(C) U(C) U(B) sti', 'clean' ],
	'wait types in an interrupt' => [
		'@A=raw @B=spin T1: W(A) W(B)', 'report:wait-context',
		'@A=raw @B=spin T1: W(A) hirq{ W(B) U(B) hirq} U(A)', 'clean' ],
	'as many under a nest lock as can be counted' => [
		'T1: W(X) ' . 'W(Y1^X) ' x 2048, 'report:warn',
		'T1: W(X) ' . 'W(Y1^X) ' x 2047, 'clean' ],
	'subclasses' => [ 'T1: W(A/255)', 'report:bad-subclass',
	                  'T1: W(A/7)', 'clean' ],
	'threaded as the outermost handler' => [
		'@A=spin T1: hirqnt{ W(A)', 'report:wait-context',
		'@A=spin T1: hirq{ hirqnt{ W(A)', 'clean' ],
);
for (sort keys %twin) {
	my ($a, $want_a, $b, $want_b) = @{ $twin{$_} };
	spew($file, "a\t$a\t$want_a\nb\t$b\t$want_b\n");
	($rc, $out) = heddle('lockdep', $file);
	is $rc, 0, "$_: one twin is reported, the other is not" or diag $out;
}

# An interrupt's locks do not depend on those of the task below.
spew($file, "a\tg\tt\tT1: W(A) hirq{ W(B) U(B) hirq} U(A)\tclean\t-\t-\n" .
    "b\tg\tt\tT1: W(A) hirq{ TW(B) W(C) U(C) U(B) hirq} U(A)\tclean\t-\t" .
    "B>C:EN\n" .
    "c\tg\tt\tT1: W(A) W(B) U(B) U(A)\tclean\t-\tA>B:EN\n");
($rc, $out) = heddle('lockdep', '--graph', $file);
is $rc, 0, 'no dependency leads into an interrupt' or diag $out;

# --- exact: what the kernel misses --------------------------------------------
($rc, $out) = heddle('lockdep', '--exact', '--quiet', "$corpus/cases.tsv");
is $rc, 0, '--exact compares nothing';
my @silent = $out =~ /^(\S+)\tkernel: clean/mg;
is_deeply [ sort @silent ], [ sort qw(sp-bfs_onlyxr_first_hides
    sp-bfs_read_edge_first_hides_3locks sp-bfs_read_edge_last_hides_3locks_too
    sp-nest_cache_hole sp-rr_between_hides_abba sp-rr_between_order2) ],
    'programs in which the kernel is silent';
like $out, qr/^sp-rr_between_hides_abba\tkernel: clean -
  deadlock of its critical sections:
    T2 from op5       T1 from op1
    W\(A\)
    RR\(B\)
                      W\(C\)
    W\(C\) waits
                      W\(A\) waits$/m, 'a recursive reader between hides ABBA: witness'
    or diag $out;
like $out, qr/^sp-bfs_read_edge_first_hides_3locks\t.*\n.*deadlock/m,
    'the search that visits a class once hides three locks: witness';
like $out, qr/^sp-nest_cache_hole\t.*\n  no interleaving/m,
    'a chain trusted for its nest lock is no deadlock here';
# Ten sections for each of seven dependencies, all inside one lock: each of the
# combinations would have to be tried, so the search must have an end.
my @class = ('A' .. 'G', 'A');
my $gated = join ' ', map {
	my ($n, $from, $to) = ($_, @class[$_, $_ + 1]);
	my $hide = $n ? '' : 'RR(Y) ';
	my $u = $n ? '' : 'U(Y) ';
	map { "W(Z) TW(X$_) W($from) ${hide}W($to) U($to) $u" .
	      "U($from) U(X$_) U(Z)" } 0 .. 9;
} 0 .. 6;
spew($file, "gated\tT1: $gated\n");
($rc, $out) = heddle('lockdep', '--exact', $file);
like $out, qr/^gated\tkernel: clean -\n  no interleaving/m,
    'very many combinations of sections: the search for a witness ends';

# A long program: what its tasks did before is not looked through for each lock.
my $often = join ' ', ('W(C) U(C)') x 20000, ('W(A) U(A)') x 20000;
spew($file, "long\tT1: $often W(C) W(A) U(A) U(C) ; " .
	"T2: W(A) RR(B) W(C) U(C) U(B) U(A)\n");
($rc, $out) = run('sh', '-c', 'ulimit -t 20; exec "$@"', '-',
	$ENV{HEDDLE} // 'build/heddle', 'lockdep', '--exact', $file);
like $out, qr/^    T2 from op80005   T1 from op80001$/m,
    'a long program: the witness is found soon';

($rc, $out) = heddle('lockdep', '--exact', '--quiet', "$corpus/random.tsv");
is result($out)->{silent}, 133, 'random programs in which the kernel is silent or late';

# --- bad input -----------------------------------------------------------------
for ([ "a\tT1: Q(A)\n", qr/:1: unknown operation: Q\(A\)$/ ],
     [ "a\tT1: W(a)\n", qr/:1: not a lock: W\(a\)$/ ],
     [ "a\tW(A)\n", qr/:1: no task/ ],
     [ "a\tT99: W(A)\n", qr/:1: not a task/ ],
     [ "a\t\@A=soft T1: W(A)\n", qr/:1: not a wait type/ ],
     [ "# c\nnothing\n", qr/:2: not a lock program/ ],
     [ "a\tT1: W(A) \0 W(A)\n", qr/:1: not a lock program/ ]) {
	my ($text, $why) = @$_;
	spew($file, $text);
	($rc, $out, $err) = heddle('lockdep', $file);
	ok $rc eq '2' && $err =~ $why && $err =~ /\A[^\n]*\n\z/,
	    'one line and exit status 2: ' . $text =~ s/\s+/ /gr or diag $err;
}
spew($file, "a\tT1: W(A) W(A)\nb\tT1: Q(A)\nc\tT1: U(A)\n");
($rc, $out) = heddle('lockdep', $file);
ok $rc eq '2' && $out =~ /^a\treport:recursive\t.*\nc\treport:unbalance\t/,
    'a line that is no program: the others are judged' or diag $out;
for ([], [ '/nonexistent' ], [ '--what', 'x' ]) {
	($rc, $out, $err) = heddle('lockdep', @$_);
	ok $rc eq '2' && $err =~ /\Aheddle lockdep: [^\n]*\n\z/,
	    "usage: lockdep @$_";
}
SKIP: {
	skip 'no /dev/zero', 1 unless -c '/dev/zero';
	($rc, $out, $err) = heddle('lockdep', '/dev/zero');
	ok $rc eq '2' && $err =~ /\A[^\n]*:1: longer than 1 MiB[^\n]*\n\z/,
	    'a line without an end' or diag "$rc: $err";
}
spew($file, "a\tT1: W(A) U(A)\r\n\r\nb\tT1: W(A) W(A)");
($rc, $out) = heddle('lockdep', $file);
like $out, qr/^a\tclean\t-\nb\treport:recursive\top2=W\(A\)\@T1\nresult: /,
    'CRLF, empty lines, no newline at the end';
SKIP: {
	skip 'no /dev/full', 1 unless -c '/dev/full';
	my $full = $ENV{HEDDLE} // 'build/heddle';
	system("$full lockdep $file > /dev/full 2>$dir/full");
	ok $? >> 8 == 70 && slurp("$dir/full") =~ /\A[^\n]+\n\z/,
	    'what cannot be written is no success';
}
my $deep = join ' ', map { "W($_) W($_/1)" } 'A' .. 'X';
spew($file, "a\tT1: $deep\treport:max-depth\top48=W(X/1)\@T1\n");
($rc, $out) = heddle('lockdep', $file);
is $rc, 0, '47 locks are fine, the 48th is not' or diag $out;

done_testing;
