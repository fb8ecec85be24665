#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Reports: what they say, how wide they are, and that nothing in them changes
# unnoticed.  UPDATE=1 writes the golden files anew: read the difference.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my $golden = "$FindBin::Bin/../golden";
my ($rc, $out, $err);

sub is_golden {
	my ($got, $path, $what) = @_;

	spew($path, $got) if $ENV{UPDATE};
	is $got, slurp($path), $what;
}

sub is_mail {
	my ($got, $what) = @_;
	my @bad = grep { length > 72 || /[^ -~]/ || /^(?:From |--$)| $/ } split /\n/, $got;

	is "@bad", '', "$what: 72 columns of plain ASCII";
}

# --- golden: the same picture, byte for byte
for my $file (sort glob "$golden/*.sched") {
	(my $base = $file) =~ s/\.sched$//;
	for my $format (qw(text mail)) {
		($rc, $out, $err) = heddle('show', "--format=$format", $file);
		$out =~ s/^heddle replay \S*\//heddle replay /m;
		is_golden($out, "$base.$format", "$base as $format");
		is_mail($out, "$base as mail") if $format eq 'mail';
		diag $err if $err;
	}
}
for my $file (sort glob 'corpus/regress/*/*/min.sched') {
	(my $base = $file) =~ s/min\.sched$/report.txt/;
	next unless -e $base;
	($rc, $out) = heddle('show', '--format=mail', $file);
	is_golden($out, $base, "$base");
	is_mail($out, $base);
}

# --- properties that every report has
my %lines = (text => 80, mail => 72);
heddle('explore', 'fault_vs_munmap:v6', '--preemptions=3', "--out=$dir/found");
my @found = grep { !/-race-/ } glob "$dir/found/*.sched"; # those: race.t
my @races = glob "$dir/found/*-race-*.sched";
cmp_ok scalar @found, '>=', 3, 'fault_vs_munmap:v6 shows three verdicts';
for my $file (@found) {
	my ($want) = slurp($file) =~ /^want (.*)$/m;

	while (my ($format, $width) = each %lines) {
		($rc, $out, $err) = heddle('show', "--format=$format", $file);
		my @long = grep { length > $width } split /\n/, $out;
		is "@long", '', "$want: $format has $width columns";
		unlike $out, qr/[^\n -~]/, "$want: $format is plain ASCII";
		is scalar(() = $out =~ /<== /g), 1, '... and one verdict';
		like $out, qr/\Aheddle: .*^model of .*^3 preemptions.*MODEL, not/ms,
			'... with title, model and bound';
		like $out, qr/^ munmap +fault( +rcu)?$/m, '... writer left';
		like $out, qr/^passes if |^goes away if /m,
			'... and the nearest run that passes';
		like $out, qr/^not modelled: /m, '... what is not modelled';
		like $out, qr/^raised in \w+\n  \w+ +src\/mm\/\w+\.c:\d+$/m,
			'... and the stack' unless $want =~ /^leak /;
		is $rc, 0, '... exit status';
	}
	($rc, $out) = heddle('show', '--format=json', $file);
	my $j = decode_json($out);
	is $j->{schema}, 'heddle-report-1', "$want: json";
	is $j->{verdict}{signature}, $want, '... explains the wanted verdict';
	is $j->{preemptions}, 3, '... preemptions';
	my ($hash) = slurp($file) =~ /^hash (\w+)$/m;
	is $j->{hash}, $hash, '... trace hash';
	my @bad = grep { $_->{shown} && $_->{kind} ne 'remark' &&
			 !$_->{statement} } @{ $j->{events} };
	is scalar(@bad), 0, '... each shown event has a statement';
}
my ($user) = grep { /held-at-user/ } @found;
($rc, $out) = heddle('show', '--format=mail', $user);
like $out, qr/rwsem_acquire_read\(vm_lock\)/, 'annotations are shown';
like $out, qr/dec_and_test +vm_refcnt 2->1\n +\(not zero: ignored\)/,
	'remarks follow their op';
like $out, qr/^locks held at the verdict\n  fault: vm_lock \(R\) in /m,
	'the lock that is still held';
unlike $out, qr/rcu_read_lock/, 'nothing about RCU';
($rc, $out) = heddle('show', '--all', $user);
like $out, qr/rcu_read_lock/, 'but with --all';

# --- another verdict of the same run, and one that it does not show
my ($detached) = grep { /detached/ } @found;
my ($other) = slurp($detached) =~ /^verdict (?!detached)(\S+)/m;
SKIP: {
	skip 'one verdict only', 2 unless $other;
	($rc, $out) = heddle('show', "--want=$other", $detached);
	is $rc, 0, "--want=$other";
	like $out, qr/^also in this run: /m, '... names the others';
}
($rc, $out, $err) = heddle('show', '--want=double-free', $detached);
is $rc, 1, 'a verdict that the run does not show';
like $err, qr/does not show double-free/, '... and it says so';

# --- scenarios
($rc, $out) = heddle('show', 'fault_vs_munmap');
is $rc, 0, 'show SCENARIO';
like $out, qr/^source: .*^tasks: munmap, fault\n.*^  v6: .*held-at-user 3/ms,
	'... source, tasks, variants with what they show';
like $out, qr/^  v10: (?:.*\n(?:    .*\n)+?)    expected: clean, without/m,
	'... and clean ones';
($rc, $out) = heddle('show', 'fault_vs_munmap:v10');
unlike $out, qr/^  v6:/m, 'show SCENARIO:VARIANT';

# --- wrong usage
for (['show'], ['show', 'nothing'], ['show', "$dir/nothing.sched"],
     ['show', '--format=tex', 'abba'], ['show', '--format=html', 'abba'],
     ['show', '--want=sorrow', $user], ['dedup'],
     ['dedup', "$dir/nothing"], ['dedup', '--scenario=nothing', $dir]) {
	($rc, $out, $err) = heddle(@$_);
	ok $rc eq '2' && $err =~ /\A[^\n]+\n\z/, "wrong: @$_"
		or diag "$rc: $err";
}

# --- dedup
system("cp '$user' $dir/found/zz.sched") == 0 or die;
spew("$dir/found/raw.bin", '');
($rc, $out) = heddle('dedup', "$dir/found");
is $rc, 0, 'dedup';
like $out, qr/^fault_vs_munmap:v6 held-at-user vm_lock\n  2 files; smallest: \S+ \(3 preemptions/m,
	'... groups by signature and names the smallest';
is result($out)->{signatures}, scalar(@found) + scalar(@races), '... counts';
is result($out)->{skipped}, 1, '... skips what it cannot run';
($rc, $out) = heddle('dedup', '--scenario=fault_vs_munmap:v10', "$dir/found");
is result($out)->{clean}, 1, '... or runs it where it is told to';

done_testing;
